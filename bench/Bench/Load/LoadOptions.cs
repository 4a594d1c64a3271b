using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Stoa.Bench.Load;

/// <summary>What to send, how fast, for how long, and whose CPU time to read.</summary>
internal sealed record LoadOptions(Uri Url, string Key, string Model, int PromptBytes, bool Streams)
{
    internal int Connections { get; init; } = 32;

    /// <summary>Requests per second of the open loop; 0 is the closed loop.</summary>
    internal int Rate { get; init; }

    /// <summary>Conversations that the requests name in turn; 0 for none.</summary>
    internal int Threads { get; init; }

    /// <summary>The digits are written over with the number of the conversation.</summary>
    internal const string ThreadName = "bench-0000000";

    internal double WarmSeconds { get; init; } = 1;

    internal double Seconds { get; init; } = 4;

    /// <summary>Ends after so many answers; 0 is no limit.</summary>
    internal int Most { get; init; }

    internal IReadOnlyList<int> Processes { get; init; } = [];

    internal bool IsAnthropic => Url.AbsolutePath.EndsWith("/messages", StringComparison.Ordinal);

    internal static LoadOptions From(Arguments arguments) => new(
        new(arguments.Text("url", "http://127.0.0.1:1/")),
        arguments.Text("key", "none"),
        arguments.Text("model", "bench"),
        arguments.Number("prompt-bytes", 1024),
        arguments.Flag("stream"))
    {
        Connections = arguments.Number("connections", 32),
        Rate = arguments.Number("rate", 0),
        Threads = arguments.Number("threads", 0),
        WarmSeconds = arguments.Number("warm-ms", 1000) / 1000.0,
        Seconds = arguments.Number("ms", 4000) / 1000.0,
        Most = arguments.Number("most", 0),
        Processes = arguments.Numbers("pids"),
    };

    internal string[] ToWords() =>
    [
        "load", "--url", Url.ToString(), "--key", Key, "--model", Model, "--prompt-bytes", Text(PromptBytes),
        "--stream", Streams ? "true" : "false", "--connections", Text(Connections), "--rate", Text(Rate), "--threads", Text(Threads),
        "--warm-ms", Text((int)(WarmSeconds * 1000)), "--ms", Text((int)(Seconds * 1000)), "--most", Text(Most),
        "--pids", string.Join(',', Processes.Select(Text)),
    ];

    internal IPEndPoint Endpoint => new(IPAddress.Parse(Url.Host), Url.Port);

    internal byte[] Request()
    {
        var body = Encoding.UTF8.GetBytes(Body());
        var version = IsAnthropic ? $"x-api-key: {Key}\r\nanthropic-version: 2023-06-01\r\n" : "";
        var head = $"POST {Url.AbsolutePath} HTTP/1.1\r\nHost: {Url.Authority}\r\nAuthorization: Bearer {Key}\r\n{version}"
            + $"Content-Type: application/json\r\nContent-Length: {Text(body.Length)}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    private string Body()
    {
        const string sentence = "The harbour master writes down what the tide brings. ";
        var prompt = string.Concat(Enumerable.Repeat(sentence, (PromptBytes / sentence.Length) + 1))[..PromptBytes];
        var options = Streams && !IsAnthropic ? ",\"stream_options\":{\"include_usage\":true}" : "";
        var limit = IsAnthropic ? "\"max_tokens\":1024," : "";
        var stream = Streams ? "\"stream\":true" : "\"stream\":false";
        var thread = Threads > 0 ? $$""","metadata":{"thread_id":"{{ThreadName}}"}""" : "";
        return $$"""{"model":{{JsonSerializer.Serialize(Model)}},{{limit}}{{stream}}{{options}}{{thread}},"messages":[{"role":"user","content":"{{prompt}}"}]}""";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What came of it. Times are microseconds; CPU is per answer.</summary>
internal sealed record LoadResult(
    int Answers,
    int Errors,
    double PerSecond,
    double P50,
    double P90,
    double P99,
    double Max,
    double FirstP50,
    double FirstP99,
    double EventsPerAnswer,
    double Cpu,
    double TreeCpu)
{
    internal static LoadResult Parse(string json) => JsonSerializer.Deserialize<LoadResult>(json)!;

    internal string ToJson() => JsonSerializer.Serialize(this);
}
