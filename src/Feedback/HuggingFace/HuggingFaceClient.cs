using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Feedback.HuggingFace;

/// <summary>
/// Hugging Face's inference API: <c>POST {url}/{model}</c> with <c>{"inputs", "wait_for_model"}</c>. While a model loads it answers 503
/// with <c>{"error", "estimated_time"}</c> (seconds); too many calls are 429.
/// </summary>
internal sealed class HuggingFaceClient(IHttpClientFactory clients, IOptions<HuggingFaceOptions> options, TimeProvider time)
{
    public const string Client = "feedback.hugging_face";

    private const int MostBytes = 4 << 20;

    /// <summary>As the model says it: <c>[[{"label", "score"}]]</c>.</summary>
    /// <exception cref="HuggingFaceException">It gave no answer that can be used.</exception>
    public async Task<JsonElement> ToxicityAsync(string text, CancellationToken ct) =>
        await AskAsync($"{options.Value.ToxicityUrl}/{options.Value.ToxicityModel}", text, ct);

    /// <summary>The first entry, which is the likeliest label.</summary>
    /// <inheritdoc cref="ToxicityAsync(string, CancellationToken)"/>
    public async Task<ToxicityScore> FirstToxicityAsync(string text, CancellationToken ct)
    {
        var answer = await ToxicityAsync(text, ct);
        try
        {
            return answer.Deserialize(HuggingFaceJson.Default.ToxicityScoreArrayArray) is [[{ Label: not null } first, ..], ..]
                ? first
                : throw Unreadable();
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    /// <inheritdoc cref="ToxicityAsync(string, CancellationToken)"/>
    public async Task<float[]> EmbeddingAsync(string text, CancellationToken ct)
    {
        var answer = await AskAsync($"{options.Value.EmbeddingUrl}/{options.Value.EmbeddingModel}", text, ct);
        try
        {
            return answer.Deserialize(HuggingFaceJson.Default.SingleArray) is { Length: > 0 } vector ? vector : throw Unreadable();
        }
        catch (JsonException)
        {
            throw Unreadable();
        }
    }

    private async Task<JsonElement> AskAsync(string address, string text, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = JsonContent.Create(new Question(text, WaitForModel: true), HuggingFaceJson.Default.Question),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", options.Value.ApiKey) },
        };
        using var http = clients.CreateClient(Client);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(options.Value.TimeoutSeconds));
        try
        {
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            await answer.Content.LoadIntoBufferAsync(MostBytes, limit.Token);
            if (!answer.IsSuccessStatusCode)
            {
                throw new HuggingFaceException($"Hugging Face answered with status {(int)answer.StatusCode}")
                {
                    Status = answer.StatusCode, Wait = await WaitAsync(answer, limit.Token),
                };
            }
            return await answer.Content.ReadFromJsonAsync(HuggingFaceJson.Default.JsonElement, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new HuggingFaceException("Hugging Face did not answer in time");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or InvalidOperationException)
        {
            throw new HuggingFaceException("Hugging Face could not be asked", error);
        }
        catch (Failure failure)
        {
            throw new HuggingFaceException(failure.Message, failure) { Wait = failure.RetryAfter };
        }
    }

    /// <summary>How long it asks to wait.</summary>
    private async Task<TimeSpan?> WaitAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        if (AskedWait.Of(answer, time) is { } told)
        {
            return told;
        }
        if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
        try
        {
            var loading = await answer.Content.ReadFromJsonAsync(HuggingFaceJson.Default.Loading, ct);
            return loading?.EstimatedTime is >= 0 and < 86_400 ? TimeSpan.FromSeconds(loading.EstimatedTime.Value) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static HuggingFaceException Unreadable() => new("Hugging Face gave an answer that cannot be read");

    internal sealed record Question(string Inputs, bool WaitForModel);

    internal sealed record ToxicityScore(string? Label, double Score);

    internal sealed record Loading(double? EstimatedTime);
}

internal sealed class HuggingFaceException(string message, Exception? inner = null) : Exception(message, inner)
{
    public HttpStatusCode? Status { get; init; }

    /// <summary>How long it asked to wait.</summary>
    public TimeSpan? Wait { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(float[]))]
[JsonSerializable(typeof(HuggingFaceClient.Question))]
[JsonSerializable(typeof(HuggingFaceClient.ToxicityScore[][]))]
[JsonSerializable(typeof(HuggingFaceClient.Loading))]
internal sealed partial class HuggingFaceJson : JsonSerializerContext;
