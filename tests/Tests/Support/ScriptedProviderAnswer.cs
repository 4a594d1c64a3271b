using System.Text.Json.Nodes;

namespace Stoa.Tests.Support;

public sealed record ScriptedCall(string Name, string Arguments, string? Id = null);

/// <summary>
/// What the scripted model does with one request. The intents compose:
/// <c>ScriptedAnswer.Text("Grüße").SplitBytes(1).Cut(after: 3)</c>.
/// </summary>
public sealed record ScriptedAnswer
{
    private ScriptedAnswer()
    {
    }

    /// <summary>Repeats the last thing the caller said; a required tool is called, a demanded schema is met.</summary>
    public static ScriptedAnswer Default { get; } = new();

    public string? Words { get; private init; }

    public IReadOnlyList<ScriptedCall> Calls { get; private init; } = [];

    public int? Status { get; private init; }

    public string? ErrorBody { get; private init; }

    public TimeSpan? RetryAfter { get; private init; }

    public ScriptedUsage? Usage { get; private init; }

    public int? CutAfterEvents { get; private init; }

    public int? HeldAfterEvents { get; private init; }

    public Task? Release { get; private init; }

    public TimeSpan Pause { get; private init; }

    public TimeSpan Late { get; private init; }

    public int? PieceBytes { get; private init; }

    public bool IsGarbage { get; private init; }

    public bool Finishes { get; private init; } = true;

    public static ScriptedAnswer Text(string text) => new() { Words = text };

    public static ScriptedAnswer Json(JsonNode value) => new() { Words = value.ToJsonString(ScriptedJson.Format) };

    public static ScriptedAnswer ToolCalls(params ScriptedCall[] calls) => new() { Calls = calls };

    /// <summary>An HTTP error; without a body the vendor's own error object is made.</summary>
    public static ScriptedAnswer Error(int status, string? body = null, TimeSpan? retryAfter = null) =>
        new() { Status = status, ErrorBody = body, RetryAfter = retryAfter };

    /// <summary>Status 200 and something that is not JSON; a stream starts well and then breaks off inside an event.</summary>
    public static ScriptedAnswer Garbage() => new() { IsGarbage = true };

    /// <summary>Says this text before it calls its tools.</summary>
    public ScriptedAnswer Saying(string text) => this with { Words = text };

    /// <summary>Resets the connection after so many events of a stream, or in the middle of a body.</summary>
    public ScriptedAnswer Cut(int after) => this with { CutAfterEvents = after };

    /// <summary>Waits after so many events (or before a body) until released, by default until the caller is gone.</summary>
    public ScriptedAnswer Hold(int after = 0, Task? release = null) => this with { HeldAfterEvents = after, Release = release };

    public ScriptedAnswer Delay(TimeSpan time) => this with { Late = time };

    /// <summary>Sends pieces of so many bytes, each flushed alone: 1 splits every multi-byte character.</summary>
    public ScriptedAnswer SplitBytes(int bytes) => this with { PieceBytes = bytes };

    /// <summary>Waits after each event of a stream, and after each piece where it is split.</summary>
    public ScriptedAnswer Drip(TimeSpan pause) => this with { Pause = pause };

    /// <summary>The stream ends politely, but without its finish reason and end marker.</summary>
    public ScriptedAnswer EndWithoutFinish() => this with { Finishes = false };

    public ScriptedAnswer WithUsage(ScriptedUsage usage) => this with { Usage = usage };
}

/// <summary>Token counts in canonical terms: input includes cached tokens, output includes reasoning.</summary>
public sealed record ScriptedUsage(long Input, long Output, long CacheRead = 0, long CacheWrite = 0, long Reasoning = 0)
{
    public static ScriptedUsage None { get; } = new(0, 0);

    public static ScriptedUsage operator +(ScriptedUsage left, ScriptedUsage right) => new(
        left.Input + right.Input,
        left.Output + right.Output,
        left.CacheRead + right.CacheRead,
        left.CacheWrite + right.CacheWrite,
        left.Reasoning + right.Reasoning);

    /// <summary>
    /// The usage of an unscripted answer. A token is a word, a quarter of the prompt was cached: the same count in
    /// either dialect, so a translated request costs what the original says.
    /// </summary>
    public static ScriptedUsage For(JsonObject body)
    {
        var input = WordsIn(body);
        return new(input, CountWords(ScriptedReply.DefaultText(body)), CacheRead: input / 4);
    }

    public static long WordsIn(JsonObject body) => ScriptedText.All(body).Sum(CountWords) + (100 * ScriptedText.Images(body));

    public static long CountWords(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).LongLength;
}
