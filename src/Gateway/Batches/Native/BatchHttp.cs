using System.Buffers;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Providers;

namespace Stoa.Gateway.Batches.Native;

/// <summary>The few kinds of requests that providers' batch APIs are made of.</summary>
internal static class BatchHttp
{
    public static Task<JsonElement> GetAsync(ProviderClient client, string path, CancellationToken ct) =>
        SendAsync(client, new(client.UriOf(path), default, isStream: false) { Method = HttpMethod.Get }, ct);

    public static Task<JsonElement> PostAsync(ProviderClient client, string path, JsonObject? body, CancellationToken ct)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body ?? [], GatewayJson.Default.JsonObject);
        return SendAsync(client, new(client.UriOf(path), bytes, isStream: false), ct);
    }

    /// <summary>Uploads a file of lines for batches, as OpenAI's API and those like it take it; returns its id.</summary>
    public static async Task<string> UploadAsync(ProviderClient client, ReadOnlyMemory<byte> lines, CancellationToken ct)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new StringContent("batch"), "\"purpose\"");
        var file = new ReadOnlyMemoryContent(lines);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        form.Add(file, "\"file\"", "\"batch.jsonl\"");
        var body = await form.ReadAsByteArrayAsync(ct);
        var uploaded = await SendAsync(
            client, new(client.UriOf("/files"), body, isStream: false) { ContentType = form.Headers.ContentType!.ToString() }, ct);
        return Need(uploaded, "id");
    }

    public static async Task<JsonElement> SendAsync(ProviderClient client, ProviderRequest request, CancellationToken ct)
    {
        using var exchange = await client.SendAsync(request, ct);
        using var answer = await exchange.ReadAllAsync();
        using var document = JsonBody.OpenAnswer(answer.Memory);
        return document.RootElement.Clone();
    }

    /// <summary>The lines of a file, while it is read.</summary>
    public static async IAsyncEnumerable<JsonElement> LinesAsync(
        ProviderClient client, string path, [EnumeratorCancellation] CancellationToken ct)
    {
        using var exchange = await client.SendAsync(new(client.UriOf(path), default, isStream: false) { Method = HttpMethod.Get }, ct);
        await foreach (var line in JsonLines.ReadAsync(exchange.Body, ct))
        {
            if (!JsonLines.IsBlank(line))
            {
                using var document = JsonBody.OpenAnswer(line);
                yield return document.RootElement.Clone();
            }
        }
    }

    public static byte[] Join(IEnumerable<NativeLine> lines, Action<Utf8JsonWriter, NativeLine> write)
    {
        var output = new ArrayBufferWriter<byte>(64 << 10);
        foreach (var line in lines)
        {
            var json = JsonOutput.Open(output);
            json.WriteStartObject();
            write(json, line);
            json.WriteEndObject();
            JsonOutput.Close(json);
            output.Write("\n"u8);
        }
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element).ToArray();

    public static string Need(JsonElement from, string name) =>
        from.TextOf(name) is { Length: > 0 } text ? text : throw ProviderRefusals.Unreadable($"it has no {name}");

}
