using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Batches.Native;

/// <summary>Gemini's batches: an uploaded file of requests with keys, a long-running operation, a file of answers.</summary>
internal sealed class GeminiBatchApi : IProviderBatchApi
{
    public static readonly GeminiBatchApi Instance = new();

    public async Task<string> CreateAsync(
        BatchClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct)
    {
        var content = BatchClient.Join(lines, (json, line) =>
        {
            json.WriteString("key", line.Id);
            json.WritePropertyName("request");
            json.WriteRawValue(line.Body.Span, skipInputValidation: true);
        });
        var file = await UploadAsync(client, content, ct);
        var made = await client.PostAsync($"/v1beta/models/{Uri.EscapeDataString(model)}:batchGenerateContent", new()
        {
            ["batch"] = new JsonObject { ["display_name"] = "batch", ["input_config"] = new JsonObject { ["file_name"] = file } },
        }, ct);
        return BatchClient.Need(made, "name");
    }

    public async Task<NativeState> ReadAsync(BatchClient client, string id, CancellationToken ct)
    {
        var operation = await client.GetAsync($"/v1beta/{id}", ct);
        var state = operation.Member("metadata").TextOf("state") ?? operation.TextOf("state") ?? "";
        // The same states come as JOB_STATE_… and as BATCH_STATE_….
        var file = operation.Member("response").TextOf("responsesFile")
            ?? operation.Member("metadata").Member("output").TextOf("responsesFile");
        return NativeState.Of(
            state[(state.LastIndexOf("STATE_", StringComparison.Ordinal) is >= 0 and var at ? at + "STATE_".Length : 0)..] switch
            {
                "SUCCEEDED" or "CANCELLED" or "EXPIRED" or "PARTIALLY_SUCCEEDED" => NativeProgress.Ended,
                "FAILED" => NativeProgress.Failed,
                _ => NativeProgress.UnderWay,
            },
            file);
    }

    public async IAsyncEnumerable<NativeResult> ResultsAsync(
        BatchClient client, string id, NativeState state, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var file in state.Files)
        {
            await foreach (var line in client.LinesAsync($"/download/v1beta/{file}:download?alt=media", ct))
            {
                var key = BatchClient.Need(line, "key");
                yield return line.Member("response") is { ValueKind: JsonValueKind.Object } response
                    ? new(key, 200, BatchClient.Raw(response))
                    : new(key, StatusOf(line.Member("error")), BatchClient.Raw(line));
            }
        }
    }

    public async Task CancelAsync(BatchClient client, string id, CancellationToken ct) =>
        await client.PostAsync($"/v1beta/{id}:cancel", body: null, ct);

    // Of the error codes of Google's RPC only the caller's own fault has to be told apart.
    private static int StatusOf(JsonElement error) =>
        error.Member("code") is { ValueKind: JsonValueKind.Number } code
            && code.TryGetInt32(out var number) && number is 3 or 400 ? 400 : 500;

    private static async Task<string> UploadAsync(BatchClient client, byte[] lines, CancellationToken ct)
    {
        using var form = new MultipartContent("related");
        form.Add(new StringContent(
            """{"file":{"display_name":"batch","mime_type":"application/jsonl"}}""", Encoding.UTF8, "application/json"));
        var content = new ByteArrayContent(lines);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        form.Add(content);
        var body = await form.ReadAsByteArrayAsync(ct);
        var uploaded = await client.SendAsync("/upload/v1beta/files?uploadType=multipart", body, ct, form.Headers.ContentType!.ToString());
        return BatchClient.Need(uploaded.Member("file"), "name");
    }
}
