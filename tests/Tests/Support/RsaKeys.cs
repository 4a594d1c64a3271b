using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Stoa.Tests.Support;

/// <summary>RSA keys of this run by their names, each made once: making one takes a processor longer than most tests.</summary>
internal static class RsaKeys
{
    private static readonly ConcurrentDictionary<string, Lazy<RSAParameters>> Made = new(StringComparer.Ordinal);

    public static RSAParameters Of(string name) => Made.GetOrAdd(name, static _ => new(Make)).Value;

    private static RSAParameters Make()
    {
        using var rsa = RSA.Create(2048);
        return rsa.ExportParameters(includePrivateParameters: true);
    }
}
