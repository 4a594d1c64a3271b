using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Stoa.Gateway.Chat;

/// <summary>
/// A guess at token counts for when nobody counted: four letters of ASCII to a token, two of another alphabet, one of Chinese,
/// Japanese or Korean. Good to about a quarter; never used where a provider gives figures.
/// </summary>
internal static class TokenEstimate
{
    private const int PerTurn = 4;
    private const int PerTool = 8;
    private const int PerImage = 765;
    private const int PerSmallImage = 85;

    /// <summary>A minute of sound or a quarter of one of pictures: how long it is shows only where it is watched.</summary>
    private const int PerRecording = 2_000;

    public static long Of(ChatRequest request)
    {
        var tokens = 3L;
        foreach (var block in request.System)
        {
            tokens += PerTurn + Of(block.Text);
        }
        foreach (var turn in request.Turns)
        {
            tokens += PerTurn + Of(turn.Parts);
        }
        foreach (var tool in request.Tools)
        {
            tokens += Of(tool);
        }
        return request.Format?.Schema is { } schema ? tokens + Of(schema) : tokens;
    }

    public static long Of(EmbeddingRequest request) =>
        request.Inputs.Sum(input => input.Tokens?.Count ?? Math.Max(1, Of(input.Text)));

    public static long Of(Tool tool) =>
        PerTool + Of(tool.Name) + Of(tool.Description ?? "")
            + (tool.Schema is { } schema ? Of(schema) : 0) + (tool.Native is { } native ? Of(native) : 0);

    public static long Of(IReadOnlyList<Part> parts)
    {
        var tokens = 0L;
        // By place: of a conversation each message would make an enumerator.
        for (var place = 0; place < parts.Count; place++)
        {
            tokens += parts[place] switch
            {
                Part.Text text => Of(text.Value),
                Part.Refusal refusal => Of(refusal.Value),
                Part.Thinking thinking => Of(thinking.Value) + (thinking.Redacted?.Length ?? 0) / 4,
                Part.ToolCall call => PerTool + Of(call.Name) + Of(call.Arguments),
                Part.ToolResult result => PerTool + Of(result.Parts),
                Part.Image image => image.Detail == "low" ? PerSmallImage : PerImage,
                Part.File { Media: Media.PlainText text } => Of(text.Value),
                Part.File { Media: Media.Bytes bytes } => bytes.Base64.Length / 16,
                Part.Audio audio => audio.Base64.Length / 400,
                Part.Recording or Part.Video => PerRecording,
                Part.Foreign foreign => Of(foreign.Block),
                _ => PerTurn,
            };
        }
        return tokens;
    }

    public static long Of(ReadOnlySpan<char> text) => (Quarters(text) + 3) / 4;

    /// <summary>In quarters of a token, so that the pieces of a stream can be added up before rounding.</summary>
    public static long Quarters(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text))
        {
            return text.Length;
        }
        var quarters = 0L;
        foreach (var letter in text)
        {
            quarters += letter < 0x80 ? 1 : letter < 0x2E80 ? 2 : 4;
        }
        return quarters;
    }

    private static long Of(JsonElement json) => JsonMarshal.GetRawUtf8Value(json).Length / 4;
}
