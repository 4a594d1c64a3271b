using System.Buffers;
using System.Globalization;

namespace Stoa.Gateway.Dialects.Gemini;

/// <summary>What a model takes, told from its name (<c>gemini-2.5-flash</c>); one without a version is held for new.</summary>
/// <param name="HasLevels">It takes <c>thinkingLevel</c>, and refuses calls in the history without a signature.</param>
/// <param name="Thinks">It takes a <c>thinkingConfig</c> at all.</param>
/// <param name="TakesJsonSchema">It takes JSON Schema; others know a subset of OpenAPI only.</param>
/// <param name="IsPro">Its thinking cannot be turned off.</param>
internal readonly record struct GeminiModel(bool HasLevels, bool Thinks, bool TakesJsonSchema, bool IsPro)
{
    private const string Family = "gemini-";

    private static readonly SearchValues<char> Figures = SearchValues.Create("0123456789.");

    public static GeminiModel Of(string name)
    {
        var isGemini = name.StartsWith(Family, StringComparison.OrdinalIgnoreCase);
        var version = isGemini ? VersionOf(name.AsSpan(Family.Length)) : null;
        var isOld = version is < 2.5 || name.StartsWith("gemma", StringComparison.OrdinalIgnoreCase);
        return new(version is >= 3, !isOld, !isOld, name.Contains("-pro", StringComparison.OrdinalIgnoreCase));
    }

    private static double? VersionOf(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExcept(Figures);
        var digits = end < 0 ? text : text[..end];
        return double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var version) ? version : null;
    }
}
