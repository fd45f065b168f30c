"""What a backend receives, version 1; what each field means stands in core/unified/schema.json."""

from typing import Literal, NotRequired, TypedDict


class Attachment(TypedDict):
    """A file: by its URL, or by its id at the provider."""

    type: Literal["image", "audio", "video", "document", "sticker", "file"]
    id: NotRequired[str]
    url: NotRequired[str]
    mimeType: NotRequired[str]
    name: NotRequired[str]  # its sender's: never a path to write to
    size: NotRequired[int]
    sha256: NotRequired[str]


class Location(TypedDict):
    """A place, in degrees."""

    latitude: float
    longitude: float
    name: NotRequired[str]
    address: NotRequired[str]


class Error(TypedDict):
    """Why something failed, in the provider's words."""

    code: str
    message: NotRequired[str]


class Event(TypedDict):
    """One thing that happened. With endpoint, id is the key."""

    id: str
    type: str
    nativeType: str
    provider: str
    endpoint: str
    channel: str
    timestamp: str
    timestampSource: Literal["provider", "gateway"]

    senderId: NotRequired[str]
    recipientId: NotRequired[str]
    conversationId: NotRequired[str]  # where an answer goes
    accountId: NotRequired[str]
    message: NotRequired[str]
    messageId: NotRequired[str]
    messageType: NotRequired[str]
    replyToId: NotRequired[str]
    attachments: NotRequired[list[Attachment]]
    location: NotRequired[Location]
    error: NotRequired[Error]

    metadata: dict[str, str]
    data: object  # the provider's own object


class Delivery(TypedDict):
    """The body of every request that passed the gate."""

    version: Literal["1"]
    provider: str
    endpoint: str
    assurance: Literal["signature", "token"]
    deliveryId: str
    receivedAt: str
    events: list[Event]
