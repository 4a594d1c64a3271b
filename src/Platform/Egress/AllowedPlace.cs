using System.Globalization;
using System.Net;

namespace Stoa.Platform.Egress;

/// <summary>One entry of the allow-list: a host name or a network, and a port or any.</summary>
internal sealed record AllowedPlace(string? Host, IPNetwork? Network, int? Port)
{
    public bool Covers(string host, IPAddress address, int port) =>
        (Port is null || Port == port)
        && (Network is { } network ? Holds(network, address) : string.Equals(Host, host, StringComparison.Ordinal));

    public static AllowedPlace? Parse(string entry)
    {
        var (place, port) = SplitPort(entry);
        if (port is < 1 or > 65535)
        {
            return null;
        }
        if (IPNetwork.TryParse(place, out var network))
        {
            return new(Host: null, network, port);
        }
        // IPAddress.TryParse also reads "10.1" and "0x7f000001"; a setting writes an address in full.
        if (IPAddress.TryParse(place, out var address)
            && (place.Contains(':', StringComparison.Ordinal) || place.Count(c => c == '.') == 3))
        {
            return new(Host: null, new IPNetwork(address, address.GetAddressBytes().Length * 8), port);
        }
        return HostName.Normalize(place) is { } host && !IPAddress.TryParse(host, out _) ? new(host, Network: null, port) : null;
    }

    private static bool Holds(IPNetwork network, IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.AddressFamily == network.BaseAddress.AddressFamily && network.Contains(plain);
    }

    private static (string Place, int? Port) SplitPort(string entry)
    {
        var colon = entry.LastIndexOf(':');
        if (entry.StartsWith('[') && entry.IndexOf(']', StringComparison.Ordinal) is var end and > 0)
        {
            return (entry[1..end], end == entry.Length - 1 ? null : colon == end + 1 ? PortOf(entry[(colon + 1)..]) : -1);
        }
        // More than one colon and no brackets: an IPv6 address or network without a port.
        return colon < 0 || entry.IndexOf(':', StringComparison.Ordinal) != colon
            ? (entry, null)
            : (entry[..colon], PortOf(entry[(colon + 1)..]));
    }

    private static int PortOf(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : -1;
}
