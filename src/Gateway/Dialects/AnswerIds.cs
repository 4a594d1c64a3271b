using System.Security.Cryptography;

namespace Stoa.Gateway.Dialects;

internal static class AnswerIds
{
    private const int OrderedLength = 32;

    public static string New(string prefix) =>
        prefix + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 24);

    /// <summary>An id for things that are listed: in the order of their ids they are in the order of their making.</summary>
    public static string NewOrdered(string prefix, TimeProvider time) => prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("n");

    /// <summary>Whether it may have been made so. A list goes on behind it, also when what bore it is gone.</summary>
    public static bool IsOrdered(string prefix, string id) =>
        id.StartsWith(prefix, StringComparison.Ordinal) && id.Length >= prefix.Length + OrderedLength
        && Guid.TryParseExact(id.AsSpan(prefix.Length, OrderedLength), "n", out _);
}
