using System.Net;

namespace Stoa.Platform.Http;

/// <summary>Whose attempts count together.</summary>
internal static class Place
{
    /// <summary>An IPv6 network of 64 bits counts as one address: its owner has all of it.</summary>
    public static Guid OwnerOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (address?.MapToIPv6() is { } wide && wide.TryWriteBytes(bytes, out _) && !wide.IsIPv4MappedToIPv6)
        {
            bytes[8..].Clear();
        }
        return new(bytes);
    }
}
