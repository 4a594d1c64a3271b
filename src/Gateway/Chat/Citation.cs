using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stoa.Gateway.Chat;

/// <summary>Where a provider has a passage of its answer from.</summary>
/// <param name="Words">
/// As OpenAI's Responses API says it (<c>type</c> <c>url_citation</c> or <c>file_citation</c>, <c>url</c>, <c>title</c> and the like);
/// <c>start_index</c>, <c>end_index</c> and <c>index</c> count letters of the part that it belongs to.
/// </param>
internal sealed record Citation(JsonObject Words)
{
    private static readonly string[] Places = ["start_index", "end_index", "index"];

    /// <summary>The passage itself, where the provider does not say by letters where it is.</summary>
    public string? Quote { get; init; }

    /// <summary>How many bytes of UTF-8 stand before the quote, at the least.</summary>
    public int QuoteFrom { get; init; }

    /// <summary>The passage is all of the part.</summary>
    public bool IsWhole { get; init; }

    /// <summary>As the provider gave it.</summary>
    public static Citation Of(JsonElement given) => new(JsonObject.Create(given.Clone())!);

    /// <summary>All citations of an answer; their places count letters of its whole text.</summary>
    public static JsonArray Placed(IReadOnlyList<Part> parts)
    {
        var placed = new JsonArray();
        string? all = null;
        var before = 0;
        foreach (var text in parts.OfType<Part.Text>())
        {
            foreach (var citation in text.Citations)
            {
                var words = (JsonObject)citation.Words.DeepClone();
                if (citation.IsWhole)
                {
                    (words["start_index"], words["end_index"]) = (before, before + text.Value.Length);
                }
                else if (citation.Quote is { Length: > 0 } quote)
                {
                    all ??= string.Concat(parts.OfType<Part.Text>().Select(part => part.Value));
                    // A sentence may stand there twice.
                    var at = all.IndexOf(quote, LettersIn(all, citation.QuoteFrom), StringComparison.Ordinal);
                    at = at < 0 ? all.IndexOf(quote, StringComparison.Ordinal) : at;
                    if (at >= 0)
                    {
                        (words["start_index"], words["end_index"]) = (at, at + quote.Length);
                    }
                }
                else
                {
                    Move(words, before);
                }
                placed.Add((JsonNode)words);
            }
            before += text.Value.Length;
        }
        return placed;
    }

    /// <summary>The same where so many letters stand before the text.</summary>
    public Citation MovedBy(int letters)
    {
        var words = (JsonObject)Words.DeepClone();
        Move(words, letters);
        return this with { Words = words };
    }

    /// <summary>The address of the page that is cited; null where it is none.</summary>
    public static string? PageOf(JsonObject words) => TextOf(words, "type") == "url_citation" ? TextOf(words, "url") : null;

    public static string? TextOf(JsonObject words, string name) =>
        words[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The passage in a text of so many letters; nothing at its end where nobody said which it is.</summary>
    public static (int Start, int End) PassageOf(JsonObject words, int length) =>
        words["start_index"] is JsonValue from && from.TryGetValue<int>(out var start)
        && words["end_index"] is JsonValue to && to.TryGetValue<int>(out var end)
        && start >= 0 && start <= end && end <= length
            ? (start, end)
            : (length, length);

    private static int LettersIn(string text, int bytes)
    {
        var whole = bytes == 0 ? [] : Encoding.UTF8.GetBytes(text);
        return Encoding.UTF8.GetCharCount(whole.AsSpan(0, Math.Clamp(bytes, 0, whole.Length)));
    }

    private static void Move(JsonObject words, int by)
    {
        foreach (var place in Places)
        {
            if (by > 0 && words[place] is JsonValue value && value.TryGetValue<int>(out var letters) && letters <= int.MaxValue - by)
            {
                words[place] = letters + by;
            }
        }
    }
}
