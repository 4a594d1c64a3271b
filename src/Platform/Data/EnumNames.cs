using System.Collections.Frozen;
using System.Text.Json;

namespace Stoa.Platform.Data;

/// <summary>The values of an enum as the database and our surfaces write them: <c>NotFound</c> is <c>not_found</c>.</summary>
public static class EnumNames<T>
    where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Texts = Enum.GetValues<T>()
        .ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    private static readonly FrozenDictionary<string, T> Values = Texts
        .ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    public static string Write(T value) => Texts[value];

    public static T Read(string text) => Values[text];
}
