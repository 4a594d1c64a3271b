using System.Net;
using System.Net.Http.Headers;
using Stoa.Platform.Http;

namespace Stoa.Platform.Egress;

/// <summary>How much a user-given address may send us, and how long all of it may take, redirects included.</summary>
public sealed record GuardedLimits(long MaxBytes, TimeSpan Timeout)
{
    public static readonly GuardedLimits Default = new(MaxBytes: 1024 * 1024, TimeSpan.FromSeconds(30));
}

/// <summary>A whole answer. <paramref name="Address"/> is where it came from after redirects.</summary>
public sealed record GuardedResponse(
    HttpStatusCode Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, ReadOnlyMemory<byte> Body, Uri Address);

/// <summary>Asks addresses that users gave: tools, webhooks, images, websites.</summary>
public sealed class GuardedClient : IDisposable
{
    private const int MaxRedirects = 3;

    // What another origin may see of a redirected request. Any other header may be a credential.
    private static readonly HashSet<string> Harmless =
        new(["Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Range", "User-Agent"], StringComparer.OrdinalIgnoreCase);

    private readonly HttpClient client;
    private readonly AddressGuard guard;
    private readonly TimeProvider time;

    public GuardedClient(AddressGuard guard, TimeProvider time)
    {
        this.guard = guard;
        this.time = time;
        client = new HttpClient(guard.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Sends, follows at most three redirects, and reads the whole body within the limits.</summary>
    /// <param name="mayFollow">Asked before a redirect is followed: it throws what the caller is to be told instead.</param>
    public async Task<GuardedResponse> SendAsync(
        HttpRequestMessage request, GuardedLimits limits, CancellationToken ct, Func<Uri, CancellationToken, Task>? mayFollow = null)
    {
        using var timeout = new CancellationTokenSource(limits.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            return await FollowAsync(request, limits, mayFollow, both.Token);
        }
        catch (HttpRequestException error) when (error.InnerException is Failure)
        {
            // Thrown where the connection was made; the handler wraps it.
            throw AddressGuard.NotAllowed();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new Failure(FailureKind.Timeout, "upstream_timeout", "the address did not answer in time");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            throw new Failure(FailureKind.Upstream, "upstream_connection", "the address could not be reached");
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<GuardedResponse> FollowAsync(
        HttpRequestMessage original, GuardedLimits limits, Func<Uri, CancellationToken, Task>? mayFollow, CancellationToken ct)
    {
        if (original.Content is { } content)
        {
            // A redirect may ask for the same body again.
            await content.LoadIntoBufferAsync(ct);
        }
        var address = guard.Check(original.RequestUri?.OriginalString ?? "");
        var hop = Hop.First(original, address);
        for (var redirects = 0; ; redirects++)
        {
            using var response = await client.SendAsync(hop.ToRequest(), HttpCompletionOption.ResponseHeadersRead, ct);
            if (!IsRedirect(response.StatusCode) || LocationOf(response) is not { } location)
            {
                var body = await ReadAsync(response.Content, limits.MaxBytes, ct);
                return new(response.StatusCode, response.Headers, response.Content.Headers, body, hop.Address);
            }
            if (redirects == MaxRedirects)
            {
                throw new Failure(FailureKind.Upstream, "too_many_redirects", "the address redirects too often");
            }
            hop = hop.To(Target(hop.Address, location), response.StatusCode);
            await (mayFollow?.Invoke(hop.Address, ct) ?? Task.CompletedTask);
        }
    }

    private Uri Target(Uri from, string location)
    {
        var target = guard.Check(location, from);
        return from.Scheme == Uri.UriSchemeHttps && target.Scheme != Uri.UriSchemeHttps ? throw AddressGuard.NotAllowed() : target;
    }

    // As sent: the parsed header has already turned backslashes into slashes.
    private static string? LocationOf(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Location", out var values) ? values.First() : null;

    private static bool IsRedirect(HttpStatusCode status) =>
        status is HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, long maxBytes, CancellationToken ct)
    {
        if (content.Headers.ContentLength > maxBytes)
        {
            throw TooLarge();
        }
        await using var stream = await content.ReadAsStreamAsync(ct);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await stream.ReadAsync(buffer, ct) is var read and > 0)
        {
            // Counted after decompression: a small bomb is as large as what it becomes.
            if (body.Length + read > maxBytes)
            {
                throw TooLarge();
            }
            body.Write(buffer, 0, read);
        }
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static Failure TooLarge() => new(FailureKind.Upstream, "upstream_too_large", "the answer of the address is too large");

    /// <summary>One request of a chain of redirects.</summary>
    private sealed record Hop(
        Uri Address, HttpMethod Method, HttpContent? Content, IReadOnlyList<KeyValuePair<string, IEnumerable<string>>> Headers)
    {
        public static Hop First(HttpRequestMessage request, Uri address) =>
            // A Host of the caller's choice could name an internal site behind an allowed address.
            new(address, request.Method, request.Content, [.. request.Headers.Where(header => header.Key != "Host")]);

        public Hop To(Uri target, HttpStatusCode status)
        {
            var keepsMethod = status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
                || Method == HttpMethod.Get || Method == HttpMethod.Head
                || (status != HttpStatusCode.SeeOther && Method != HttpMethod.Post);
            var sameOrigin = Uri.Compare(
                Address, target, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) == 0;
            return new(
                target,
                keepsMethod ? Method : HttpMethod.Get,
                keepsMethod ? Content : null,
                sameOrigin ? Headers : [.. Headers.Where(header => Harmless.Contains(header.Key))]);
        }

        // The message is left to the collector: disposing it would dispose the content that the next hop may need.
        public HttpRequestMessage ToRequest()
        {
            var request = new HttpRequestMessage(Method, Address) { Content = Content };
            foreach (var (name, values) in Headers)
            {
                request.Headers.TryAddWithoutValidation(name, values);
            }
            return request;
        }
    }
}
