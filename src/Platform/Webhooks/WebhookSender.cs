using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Options;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;

namespace Stoa.Platform.Webhooks;

/// <summary>What came of one attempt.</summary>
/// <param name="RetryAfter">How long the receiver asked to be left alone.</param>
/// <param name="IsHopeless">No repetition helps: the address may not be asked.</param>
internal sealed record WebhookOutcome(WebhookAttempt Attempt, TimeSpan? RetryAfter = null, bool IsHopeless = false)
{
    public bool IsSuccess => Attempt.Status is >= 200 and < 300;

    public bool IsGone => Attempt.Status == (int)HttpStatusCode.Gone;
}

/// <summary>One POST to a receiver. Redirects are no success: whoever moves says so in his settings.</summary>
internal sealed class WebhookSender(AddressGuard guard, IOptions<WebhookOptions> options, TimeProvider time) : IDisposable
{
    private const int MaxReply = 2048;

    private readonly HttpClient client = new(guard.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };

    public async Task<WebhookOutcome> SendAsync(
        WebhookDelivery delivery, IReadOnlyList<KeyValuePair<string, string>> headers, IReadOnlyList<string> secrets, CancellationToken ct)
    {
        var (at, started) = (time.GetUtcNow(), time.GetTimestamp());
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(options.Value.TimeoutSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var request = RequestOf(delivery, headers, secrets, at);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var reply = await ReplyAsync(response.Content, either.Token);
            ct.ThrowIfCancellationRequested();
            return new(Attempt((int)response.StatusCode, null, reply), AskedWait.Of(response, time));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new(Attempt(null, "The receiver did not answer in time", null));
        }
        catch (Exception exception) when (exception is Failure || exception.InnerException is Failure)
        {
            return new(Attempt(null, "url not allowed", null), IsHopeless: true);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new(Attempt(null, "The receiver could not be reached", null));
        }

        WebhookAttempt Attempt(int? status, string? error, string? reply) =>
            new(at, status, error, reply, (int)time.GetElapsedTime(started).TotalMilliseconds);
    }

    public void Dispose() => client.Dispose();

    private HttpRequestMessage RequestOf(
        WebhookDelivery delivery, IReadOnlyList<KeyValuePair<string, string>> headers, IReadOnlyList<string> secrets, DateTimeOffset at)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, guard.Check(delivery.Url)) { Content = new StringContent(delivery.Body) };
        var type = headers.FirstOrDefault(header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value;
        request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(type, out var wanted) ? wanted : new("application/json");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        request.Headers.TryAddWithoutValidation("webhook-id", delivery.WebhookId);
        request.Headers.TryAddWithoutValidation("webhook-timestamp", at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        if (secrets.Count > 0)
        {
            request.Headers.TryAddWithoutValidation(
                "webhook-signature", WebhookSignature.Standard(secrets, delivery.WebhookId, at, delivery.Body));
        }
        if (delivery.HeaderPrefix is { } prefix)
        {
            AddOwn($"{prefix}-delivery", delivery.WebhookId);
            AddOwn($"{prefix}-attempt", (delivery.AttemptCount + 1).ToString(CultureInfo.InvariantCulture));
            AddOwn($"{prefix}-signature", secrets.Count > 0 ? WebhookSignature.Dated(secrets, at, delivery.Body) : null);
        }
        return request;

        void AddOwn(string name, string? value)
        {
            request.Headers.Remove(name);
            if (value is not null)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    /// <summary>The beginning of the answer, for the log. Who dawdles with it has answered all the same.</summary>
    private static async Task<string?> ReplyAsync(HttpContent content, CancellationToken ct)
    {
        try
        {
            await using var stream = await content.ReadAsStreamAsync(ct);
            var buffer = new byte[MaxReply];
            var length = await stream.ReadAtLeastAsync(buffer, MaxReply, throwOnEndOfStream: false, ct);
            // PostgreSQL keeps no NUL.
            return length == 0 ? null : Encoding.UTF8.GetString(buffer, 0, length).Replace('\0', ' ');
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or IOException or HttpRequestException or InvalidDataException)
        {
            return null;
        }
    }
}
