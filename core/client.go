package core

import (
	"errors"
	"net/netip"
)

// privateRanges are those of Caddy's private_ranges.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.1/8"),
	netip.MustParsePrefix("fd00::/8"),
	netip.MustParsePrefix("::1/128"),
}

func (g *Gate) setAllowIPs(p *problems, list []string) {
	if list != nil && len(list) == 0 {
		p.add("allow_ips", "is empty: nobody could send; name clients, or leave the key out to allow all")
	}
	for i, s := range list {
		if s == "private_ranges" {
			g.allow = append(g.allow, privateRanges...)
			continue
		}
		prefix, err := parsePrefix(s)
		if err != nil {
			p.add(say("allow_ips[%d]", i), "%q is neither an address, nor a CIDR, nor private_ranges", s)
			continue
		}
		g.allow = append(g.allow, prefix)
	}
}

// parsePrefix reads a CIDR, or an address as the range of itself.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() {
		if prefix.Bits() < 96 {
			return netip.Prefix{}, errors.New("a prefix wider than the IPv4 addresses in IPv6")
		}
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// allows says that the client may send. An unknown client may not where there
// is a list.
func (g *Gate) allows(client netip.Addr) bool {
	if g.allow == nil {
		return true
	}
	client = client.Unmap().WithZone("")
	for _, prefix := range g.allow {
		if client.IsValid() && prefix.Contains(client) {
			return true
		}
	}
	return false
}
