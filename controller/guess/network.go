package guess

import "net/netip"

// Network is the network of an address: one address of IPv4, and of IPv6 what
// one household is given (/56). What is no address is its own network.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	net, err := ip.WithZone("").Prefix(56)
	if err != nil {
		return address
	}
	return net.String()
}
