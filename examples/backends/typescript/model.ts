/** The body of every request that passed the gate, version 1. What each field means stands in core/unified/schema.json. */
export interface Delivery {
  version: "1";
  provider: string;
  endpoint: string;
  assurance: "signature" | "token";
  deliveryId: string;
  receivedAt: string;
  events: Event[];
}

/** One thing that happened. With endpoint, id is the key. */
export interface Event {
  id: string;
  type: string;
  nativeType: string;
  provider: string;
  endpoint: string;
  channel: string;
  timestamp: string;
  timestampSource: "provider" | "gateway";

  senderId?: string;
  recipientId?: string;
  conversationId?: string; // where an answer goes
  accountId?: string;
  message?: string;
  messageId?: string;
  messageType?: string;
  replyToId?: string;
  attachments?: Attachment[];
  location?: Location;
  error?: ProviderError;

  metadata: Record<string, string>;
  data: unknown; // the provider's own object
}

/** A file: by its URL, or by its id at the provider. */
export interface Attachment {
  type: "image" | "audio" | "video" | "document" | "sticker" | "file";
  id?: string;
  url?: string;
  mimeType?: string;
  name?: string; // its sender's: never a path to write to
  size?: number;
  sha256?: string;
}

/** A place, in degrees. */
export interface Location {
  latitude: number;
  longitude: number;
  name?: string;
  address?: string;
}

/** Why something failed, in the provider's words. */
export interface ProviderError {
  code: string;
  message?: string;
}
