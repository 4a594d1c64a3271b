using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Batches.Native;

/// <summary>Anthropic's batches of messages.</summary>
internal sealed class AnthropicBatchApi : IProviderBatchApi
{
    public static readonly AnthropicBatchApi Instance = new();

    private const string Path = "/v1/messages/batches";

    public async Task<string> CreateAsync(
        ProviderClient client, string model, string endpoint, IReadOnlyList<NativeLine> lines, CancellationToken ct)
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
        return BatchHttp.Need(await BatchHttp.SendAsync(client, new(client.UriOf(Path), body.WrittenMemory, isStream: false), ct), "id");
    }

    public async Task<NativeState> ReadAsync(ProviderClient client, string id, CancellationToken ct)
    {
        var batch = await BatchHttp.GetAsync(client, $"{Path}/{id}", ct);
        return NativeState.Of(batch.TextOf("processing_status") == "ended" ? NativeProgress.Ended : NativeProgress.UnderWay);
    }

    public async IAsyncEnumerable<NativeResult> ResultsAsync(
        ProviderClient client, string id, NativeState state, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var line in BatchHttp.LinesAsync(client, $"{Path}/{id}/results", ct))
        {
            var result = line.Member("result");
            switch (result.TextOf("type"))
            {
                case "succeeded":
                    yield return new(BatchHttp.Need(line, "custom_id"), 200, BatchHttp.Raw(result.Member("message")));
                    break;
                case "errored":
                    var error = result.Member("error");
                    yield return new(BatchHttp.Need(line, "custom_id"), StatusOf(error), BatchHttp.Raw(error));
                    break;
            }
        }
    }

    public async Task CancelAsync(ProviderClient client, string id, CancellationToken ct) =>
        await BatchHttp.PostAsync(client, $"{Path}/{id}/cancel", body: null, ct);

    private static int StatusOf(JsonElement error) => error.Member("error").TextOf("type") == "invalid_request_error" ? 400 : 500;
}
