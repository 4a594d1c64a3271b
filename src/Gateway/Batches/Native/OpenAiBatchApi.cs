using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Dialects;
namespace Stoa.Gateway.Batches.Native;

/// <summary>OpenAI's batches, and Groq's, which are the same: a file of requests in, files of answers and errors out.</summary>
internal class OpenAiBatchApi : IProviderBatchApi
{
    public static readonly OpenAiBatchApi Instance = new();

    public virtual async Task<string> CreateAsync(
        BatchClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct)
    {
        var file = await client.UploadAsync(BatchClient.Join(lines, (json, line) =>
        {
            json.WriteString("custom_id", line.Id);
            json.WriteString("method", "POST");
            json.WriteString("url", endpoint);
            json.WritePropertyName("body");
            json.WriteRawValue(line.Body.Span, skipInputValidation: true);
        }), ct);
        var made = await client.PostAsync(
            "/batches", new() { ["input_file_id"] = file, ["endpoint"] = endpoint, ["completion_window"] = "24h" }, ct);
        return BatchClient.Need(made, "id");
    }

    public virtual async Task<NativeState> ReadAsync(BatchClient client, string id, CancellationToken ct)
    {
        var batch = await client.GetAsync($"/batches/{id}", ct);
        return NativeState.Of(
            batch.TextOf("status") switch
            {
                "completed" or "expired" or "cancelled" => NativeProgress.Ended,
                "failed" => NativeProgress.Failed,
                _ => NativeProgress.UnderWay,
            },
            batch.TextOf("output_file_id"), batch.TextOf("error_file_id"));
    }

    public async IAsyncEnumerable<NativeResult> ResultsAsync(
        BatchClient client, string id, NativeState state, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var file in state.Files)
        {
            await foreach (var line in client.LinesAsync($"/files/{file}/content", ct))
            {
                yield return Result(line);
            }
        }
    }

    public virtual async Task CancelAsync(BatchClient client, string id, CancellationToken ct) =>
        await client.PostAsync($"/batches/{id}/cancel", body: null, ct);

    private static NativeResult Result(JsonElement line)
    {
        var id = BatchClient.Need(line, "custom_id");
        var response = line.Member("response");
        return response.Member("body") is { ValueKind: JsonValueKind.Object } body
            ? new(id, response.Member("status_code") is { ValueKind: JsonValueKind.Number } status ? status.GetInt32() : 200,
                BatchClient.Raw(body))
            // The whole line, as its `error` stands where an error's body has it.
            : new(id, 500, BatchClient.Raw(line));
    }
}

/// <summary>Mistral's batches: the same files, with jobs of its own kind between them.</summary>
internal sealed class MistralBatchApi : OpenAiBatchApi
{
    public static new readonly MistralBatchApi Instance = new();

    public override async Task<string> CreateAsync(
        BatchClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct)
    {
        var file = await client.UploadAsync(BatchClient.Join(lines, (json, line) =>
        {
            json.WriteString("custom_id", line.Id);
            json.WritePropertyName("body");
            json.WriteRawValue(line.Body.Span, skipInputValidation: true);
        }), ct);
        var made = await client.PostAsync(
            "/batch/jobs", new() { ["input_files"] = new JsonArray(file), ["endpoint"] = endpoint, ["model"] = model }, ct);
        return BatchClient.Need(made, "id");
    }

    public override async Task<NativeState> ReadAsync(BatchClient client, string id, CancellationToken ct)
    {
        var job = await client.GetAsync($"/batch/jobs/{id}", ct);
        return NativeState.Of(
            job.TextOf("status") switch
            {
                "SUCCESS" or "TIMEOUT_EXCEEDED" or "CANCELLED" => NativeProgress.Ended,
                "FAILED" => NativeProgress.Failed,
                _ => NativeProgress.UnderWay,
            },
            job.TextOf("output_file"), job.TextOf("error_file"));
    }

    public override async Task CancelAsync(BatchClient client, string id, CancellationToken ct) =>
        await client.PostAsync($"/batch/jobs/{id}/cancel", body: null, ct);
}
