using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Providers.Demo;

/// <summary>What the demo says in plain words.</summary>
internal static class DemoText
{
    private const int LongestQuote = 200;

    private static readonly string[] Openings =
    [
        "This is a demo answer: Stoa made it offline and asked no model.",
        "You are talking to Stoa's offline demo provider, not to a model.",
        "Demo mode: these words come from Stoa itself, without any model behind them.",
    ];

    public static string For(ChatRequest request, int seed)
    {
        var opening = Openings[seed % Openings.Length];
        if (request.Turns is [.., { Role: TurnRole.Tool } results])
        {
            var said = results.Parts.OfType<Part.ToolResult>().Select(result =>
                $"The tool {NameOf(request, result.Id)} {(result.IsError ? "failed with" : "answered")}: {Quote(TextOf(result.Parts))}");
            return $"{opening} {string.Join(" ", said)}";
        }
        var last = request.Turns.LastOrDefault(turn => turn.Role == TurnRole.User);
        var text = last is null ? "" : TextOf(last.Parts);
        var images = last?.Parts.Count(part => part is Part.Image) ?? 0;
        var seen = images > 0 ? $" I also received {images} image(s), which a demo cannot see." : "";
        return $"{opening} You wrote: {Quote(text)}{seen} Set the key of a provider to get real answers.";
    }

    /// <summary>Cut where the client's limits cut.</summary>
    public static Choice Bounded(string text, ChatRequest request)
    {
        var reason = FinishReason.Stop;
        string? stoppedBy = null;
        foreach (var stop in request.Stop.Where(stop => stop.Length > 0))
        {
            var place = text.IndexOf(stop, StringComparison.Ordinal);
            if (place >= 0)
            {
                (text, reason, stoppedBy) = (text[..place], FinishReason.StopSequence, stop);
            }
        }
        if (request.MaxOutput is { } most && TokenEstimate.Of(text) > most)
        {
            var (length, quarters) = (0, 0L);
            foreach (var word in Words(text).TakeWhile(word => quarters + TokenEstimate.Quarters(word) <= 4L * most))
            {
                (length, quarters) = (length + word.Length, quarters + TokenEstimate.Quarters(word));
            }
            (text, reason, stoppedBy) = (text[..length], FinishReason.Length, null);
        }
        return new([new Part.Text(text)], reason, stoppedBy);
    }

    /// <summary>Each word with the white space after it; together they are the text again.</summary>
    public static IEnumerable<string> Words(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = start;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }
            while (end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }
            yield return text[start..end];
            start = end;
        }
    }

    /// <summary>Whether a person speaks of a tool: <c>get_weather</c> or "get weather".</summary>
    public static bool Names(string text, string tool) =>
        text.Contains(tool, StringComparison.OrdinalIgnoreCase)
        || text.Contains(tool.Replace('_', ' ').Replace('-', ' '), StringComparison.OrdinalIgnoreCase);

    private static string NameOf(ChatRequest request, string id) => request.Turns
        .SelectMany(turn => turn.Parts).OfType<Part.ToolCall>().LastOrDefault(call => call.Id == id)?.Name ?? id;

    private static string TextOf(IReadOnlyList<Part> parts) => string.Join(" ", parts.OfType<Part.Text>().Select(part => part.Value));

    private static string Quote(string text)
    {
        if (text.Length <= LongestQuote)
        {
            return $"“{text}”";
        }
        var end = char.IsHighSurrogate(text[LongestQuote - 1]) ? LongestQuote - 1 : LongestQuote;
        return $"“{text[..end]}…”";
    }
}
