using System.Text;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Runs;

/// <summary>Makes of any text one that PostgreSQL keeps: it knows no NUL and no half of a surrogate pair.</summary>
internal static class StoredText
{
    public static string Clean(string text)
    {
        var clean = text.Contains('\0', StringComparison.Ordinal) ? text.Replace("\0", "", StringComparison.Ordinal) : text;
        for (var at = 0; at < clean.Length; at++)
        {
            if (char.IsHighSurrogate(clean[at]) && at + 1 < clean.Length && char.IsLowSurrogate(clean[at + 1]))
            {
                at++;
            }
            else if (char.IsSurrogate(clean[at]))
            {
                return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(clean));
            }
        }
        return clean;
    }

    /// <summary>The same in JSON that was written here: there a NUL is an escape, and no pair is broken.</summary>
    public static byte[] Json(ReadOnlySpan<byte> json) => json.IndexOf(@"\u0000"u8) < 0 ? json.ToArray()
        : Encoding.UTF8.GetBytes(Json(Encoding.UTF8.GetString(json)));

    public static string Json(JsonNode node) => Json(Clean(node.Compact()));

    private static string Json(string json)
    {
        const string Nul = @"\u0000";
        if (!json.Contains(Nul, StringComparison.Ordinal))
        {
            return json;
        }
        var output = new StringBuilder(json.Length);
        for (var at = 0; at < json.Length; at++)
        {
            if (json[at] != '\\')
            {
                output.Append(json[at]);
            }
            else if (string.CompareOrdinal(json, at, Nul, 0, Nul.Length) == 0)
            {
                at += Nul.Length - 1;
            }
            else
            {
                output.Append(json, at++, 2);
            }
        }
        return output.ToString();
    }
}
