package hookward

import (
	"slices"
	"strings"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:      "webhook",
		Usage:     "send|providers",
		Short:     "Tries webhook gates out, and lists the providers",
		CobraFunc: addCommands,
	})
}

// addCommands adds the sub-commands; another word is an error, for which cobra
// wants the command to run by itself, too.
func addCommands(cmd *cobra.Command) {
	cmd.AddCommand(sendCommand(), providersCommand())
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

func providersCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "providers [<name>...]",
		Short:             "Lists the providers: how they sign, shake hands, retry and identify their events",
		ValidArgsFunction: completeProviders,
		RunE: func(cmd *cobra.Command, names []string) error {
			return printProviders(cmd.OutOrStdout(), names)
		},
	}
}

func sendCommand() *cobra.Command {
	o := new(sendOptions)
	cmd := &cobra.Command{
		Use:   "send [<provider>] (--to <url> --secret <secret> | --config <file> [--name <gate>])",
		Short: "Sends a signed request as a provider would",
		Long: `
Signs a payload as the provider would, sends it, and prints what came back. The
payload is a built-in sample with fresh ids and times, or a file ("-" is the
standard input). With --config, a Caddyfile or its JSON says provider, secret,
public URL and address; what the flags say comes first, and a --to without a
path keeps the gate's path.

Where the provider signs the URL (Twilio), --public-url is the URL that it has,
with or without the path: what it would send there is what goes to --to.

The exit status is not 0 if the request was not accepted, or with --forge if it
was.`,
		Example: `  caddy webhook send meta --to http://localhost:8080/hooks/meta --secret {env.META_APP_SECRET}
  caddy webhook send twilio --config Caddyfile --sample voice
  caddy webhook send twilio --config Caddyfile --public-url https://example.com/hooks/twilio
  caddy webhook send --config Caddyfile --name sms --forge
  caddy webhook send meta --config Caddyfile --handshake`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeProviders,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out, o.in = cmd.OutOrStdout(), cmd.InOrStdin()
			if len(args) > 0 {
				o.provider = args[0]
			}
			return o.run()
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *sendOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "Configuration file that holds the gate")
	f.StringVarP(&o.adapter, "adapter", "a", "", "Name of config adapter to apply (default: caddyfile, for .json none)")
	f.StringVar(&o.name, "name", "", "Name of the gate, where the configuration has several of the provider")
	f.StringVar(&o.to, "to", "", "URL to send to")
	f.StringVar(&o.publicURL, "public-url", "", "URL that the provider was given, if it signs the URL and --to is another")
	f.StringVar(&o.secret, "secret", "", "Secret to sign with: a literal, {env.NAME} or {file./path}")
	f.StringVar(&o.verifyToken, "verify-token", "", "Verify token of the handshake, likewise")
	f.StringVarP(&o.sample, "sample", "s", "", "Built-in payload (default: the provider's first)")
	f.StringVarP(&o.file, "file", "f", "", "File with the payload")
	f.BoolVar(&o.handshake, "handshake", false, "Send the provider's handshake")
	f.BoolVar(&o.forge, "forge", false, "Sign with a secret that is not the gate's: it must be refused")
	f.IntVarP(&o.repeat, "repeat", "n", 1, "Send the same request so many times")
	f.BoolVarP(&o.insecure, "insecure", "k", false, "Take any certificate of the server")
	cmd.MarkFlagsMutuallyExclusive("sample", "file", "handshake")
	cmd.MarkFlagsMutuallyExclusive("handshake", "forge")
	_ = cmd.MarkFlagFilename("config")
	_ = cmd.MarkFlagFilename("file")
	_ = cmd.RegisterFlagCompletionFunc("sample", completeSamples)
	_ = cmd.RegisterFlagCompletionFunc("name", o.completeNames)
}

func completeProviders(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return withPrefix(core.Providers(), typed), cobra.ShellCompDirectiveNoFileComp
}

func completeSamples(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, p := range provider.All() {
		if len(args) == 0 || args[0] == p.Name {
			names = append(names, send.Samples(p)...)
		}
	}
	slices.Sort(names)
	return withPrefix(slices.Compact(names), typed), cobra.ShellCompDirectiveNoFileComp
}

func (o *sendOptions) completeNames(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	endpoints, _ := readEndpoints(o.config, o.adapter)
	return withPrefix(endpointNames(endpoints), typed), cobra.ShellCompDirectiveNoFileComp
}

func withPrefix(words []string, prefix string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, prefix) })
}
