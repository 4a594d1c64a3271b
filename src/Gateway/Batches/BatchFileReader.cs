using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches;

/// <summary>The lines of an uploaded file: <c>{custom_id, method, url, body}</c> each. What is wrong is gathered, with its place.</summary>
internal sealed class BatchFileReader(string endpoint)
{
    private const int MaxLines = 50_000;
    private const int MaxErrors = 50;
    private const int MaxId = 512;

    private readonly HashSet<string> ids = new(StringComparer.Ordinal);

    /// <summary>As the API shows them: <c>{code, line, message, param}</c>.</summary>
    public List<JsonObject> Errors { get; } = [];

    public int Count { get; private set; }

    public async IAsyncEnumerable<BatchLine> ReadAsync(Stream file, [EnumeratorCancellation] CancellationToken ct)
    {
        var number = 0;
        await using var lines = JsonLines.ReadAsync(file, ct).GetAsyncEnumerator(ct);
        while (await NextAsync(lines, number))
        {
            var text = lines.Current;
            number++;
            if (JsonLines.IsBlank(text))
            {
                continue;
            }
            if (++Count > MaxLines)
            {
                Add("too_many_requests", number, $"A batch may have at most {MaxLines} requests", null);
                yield break;
            }
            if (Read(text, number) is { } line)
            {
                yield return line;
            }
            if (Errors.Count >= MaxErrors)
            {
                yield break;
            }
        }
        if (Count == 0 && Errors.Count == 0)
        {
            Add("empty_file", null, "The file holds no requests", null);
        }
    }

    private async ValueTask<bool> NextAsync(IAsyncEnumerator<ReadOnlyMemory<byte>> lines, int read)
    {
        try
        {
            return await lines.MoveNextAsync();
        }
        catch (InvalidDataException)
        {
            Add("line_too_long", read + 1, $"A line may have at most {JsonLines.MaxBytes >> 20} MB", null);
            return false;
        }
    }

    private BatchLine? Read(ReadOnlyMemory<byte> text, int number)
    {
        try
        {
            using var document = JsonBody.Open(text);
            var line = new Node(document.RootElement);
            var id = line.Need("custom_id");
            if (id.Text(MaxId).Length == 0 || id.Text().Contains('\0', StringComparison.Ordinal))
            {
                throw id.Wrong("must not be empty");
            }
            if (line.Need("method").Text() != "POST")
            {
                throw line.Need("method").NotOneOf("'POST'");
            }
            if (line.Need("url").Text() != endpoint)
            {
                throw line.Need("url").Wrong($"is not the endpoint of the batch, {endpoint}", "mismatched_endpoint");
            }
            var body = line.Need("body");
            if (body.Object().Member("stream").ValueKind == JsonValueKind.True)
            {
                throw body.Need("stream").Wrong("cannot be true in a batch");
            }
            if (!ids.Add(id.Text()))
            {
                throw id.Wrong($"repeats '{id.Text()}'", "duplicate_custom_id");
            }
            return new(number, id.Text(), JsonMarshal.GetRawUtf8Value(body.Element).ToArray());
        }
        catch (Failure failure)
        {
            var code = failure.Code == "invalid_json" ? "invalid_json_line" : failure.Code;
            Add(code, number, failure.Message, failure.Fields is [var first, ..] ? first.Field : null);
            return null;
        }
    }

    private void Add(string code, int? line, string message, string? param) =>
        Errors.Add(new() { ["code"] = code, ["line"] = line, ["message"] = message, ["param"] = param });
}
