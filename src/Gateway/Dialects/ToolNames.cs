using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Dialects;

/// <summary>
/// Names and ids of tools and calls that a target refuses are replaced by ones derived from them. The same name always gives the same
/// alias, so nothing has to be remembered between the request and its answer.
/// </summary>
internal static class ToolNames
{
    public const int OpenAiLimit = 64;
    public const int AnthropicLimit = 128;

    private const int GeminiLimit = 64;
    private const int ShortLength = 9;
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Plain =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    private static readonly SearchValues<char> Gemini =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-");

    public static bool IsValid(string name, int limit) =>
        name.Length > 0 && name.Length <= limit && !name.AsSpan().ContainsAnyExcept(Plain);

    public static string Alias(string name, int limit) => IsValid(name, limit) ? name : Replaced(name, limit, Plain, "");

    /// <summary>Gemini takes dots and colons too, but wants a letter or an underscore first.</summary>
    public static string GeminiAlias(string name)
    {
        var isBegun = name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_');
        return isBegun && name.Length <= GeminiLimit && !name.AsSpan().ContainsAnyExcept(Gemini)
            ? name
            : Replaced(name, GeminiLimit, Gemini, isBegun ? "" : "_");
    }

    /// <summary>From alias to name, for the tools of the request that needed one; null when none did.</summary>
    public static Dictionary<string, string>? Originals(ChatRequest request, int limit)
    {
        Dictionary<string, string>? originals = null;
        foreach (var tool in request.Tools)
        {
            if (!IsValid(tool.Name, limit))
            {
                originals ??= [];
                originals[Alias(tool.Name, limit)] = tool.Name;
            }
        }
        return originals;
    }

    /// <summary>The same for Gemini; null when none needed an alias.</summary>
    public static Dictionary<string, string>? GeminiOriginals(ChatRequest request)
    {
        Dictionary<string, string>? originals = null;
        foreach (var tool in request.Tools)
        {
            if (GeminiAlias(tool.Name) is var alias && alias != tool.Name)
            {
                originals ??= [];
                originals[alias] = tool.Name;
            }
        }
        return originals;
    }

    public static string Original(this Dictionary<string, string>? originals, string alias) =>
        originals?.GetValueOrDefault(alias) ?? alias;

    public static string AnthropicId(string id) => IsValid(id, 64) ? id : "toolu_" + Digest(id)[..24];

    public static string OpenAiId(string id) =>
        id.Length is > 0 and <= 40 && !id.AsSpan().ContainsAnyExceptInRange('!', '~') ? id : "call_" + Digest(id)[..24];

    /// <summary>Nine letters and digits, which is all that Mistral takes.</summary>
    public static string ShortId(string id) => id.Length == ShortLength && id.All(char.IsAsciiLetterOrDigit)
        ? id
        : string.Create(ShortLength, SHA256.HashData(Encoding.UTF8.GetBytes(id)), static (letters, digest) =>
        {
            for (var index = 0; index < letters.Length; index++)
            {
                letters[index] = Base62[digest[index] % Base62.Length];
            }
        });

    /// <summary>An id for a call that came without one.</summary>
    public static string MakeId(int turn, int call, string name, string arguments) =>
        "call_" + Digest($"{turn}/{call}/{name}/{arguments}")[..24];

    private static string Replaced(string name, int limit, SearchValues<char> letters, string start)
    {
        var alias = new StringBuilder(start, limit);
        foreach (var letter in name.AsSpan(0, Math.Min(name.Length, limit - 7 - start.Length)))
        {
            alias.Append(letters.Contains(letter) ? letter : '_');
        }
        return alias.Append('_').Append(Digest(name)[..6]).ToString();
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
