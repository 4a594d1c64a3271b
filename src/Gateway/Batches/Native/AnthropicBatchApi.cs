using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;

namespace Stoa.Gateway.Batches.Native;

/// <summary>Anthropic's batches of messages.</summary>
internal sealed class AnthropicBatchApi : IProviderBatchApi
{
    public static readonly AnthropicBatchApi Instance = new();

    private const string Path = "/v1/messages/batches";

    public async Task<string> CreateAsync(
        BatchClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct)
    {
        var body = new ArrayBufferWriter<byte>(64 << 10);
        var json = JsonOutput.Open(body);
        json.WriteStartObject();
        json.WriteStartArray("requests");
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteString("custom_id", line.Id);
            json.WritePropertyName("params");
            json.WriteRawValue(line.Body.Span, skipInputValidation: true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        JsonOutput.Close(json);
        return BatchClient.Need(await client.SendAsync(Path, body.WrittenMemory, ct), "id");
    }

    public async Task<NativeState> ReadAsync(BatchClient client, string id, CancellationToken ct)
    {
        var batch = await client.GetAsync($"{Path}/{id}", ct);
        return NativeState.Of(batch.TextOf("processing_status") == "ended" ? NativeProgress.Ended : NativeProgress.UnderWay);
    }

    public async IAsyncEnumerable<NativeResult> ResultsAsync(
        BatchClient client, string id, NativeState state, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var line in client.LinesAsync($"{Path}/{id}/results", ct))
        {
            var result = line.Member("result");
            switch (result.TextOf("type"))
            {
                case "succeeded":
                    yield return new(BatchClient.Need(line, "custom_id"), 200, BatchClient.Raw(result.Member("message")));
                    break;
                case "errored":
                    var error = result.Member("error");
                    yield return new(BatchClient.Need(line, "custom_id"), StatusOf(error), BatchClient.Raw(error));
                    break;
            }
        }
    }

    public async Task CancelAsync(BatchClient client, string id, CancellationToken ct) =>
        await client.PostAsync($"{Path}/{id}/cancel", body: null, ct);

    private static int StatusOf(JsonElement error) => error.Member("error").TextOf("type") == "invalid_request_error" ? 400 : 500;
}
