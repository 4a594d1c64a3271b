using System.Buffers;

namespace Stoa.Platform.Storage;

/// <summary>What may be the name of a file: parts with slashes between, none of which leads elsewhere or is hidden.</summary>
internal static class StorageName
{
    private const int Longest = 200;

    private static readonly SearchValues<char> Letters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+/");

    public static string Checked(string name) => name.Length <= Longest && !name.AsSpan().ContainsAnyExcept(Letters)
        && name.Split('/').All(part => part.Length > 0 && part[0] != '.')
        ? name
        : throw new ArgumentException("Not the name of a file", nameof(name));
}
