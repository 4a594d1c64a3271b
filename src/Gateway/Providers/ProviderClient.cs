using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Stoa.Gateway.Chat;
using Stoa.Platform.Egress;
using Stoa.Platform.Http;
using Stoa.Platform.Telemetry;

namespace Stoa.Gateway.Providers;

/// <summary>
/// Sends requests to one provider: connection pool, credentials, timeouts, retries and circuit breakers. Bodies go out as the
/// bytes they are given.
/// </summary>
internal sealed class ProviderClient : IDisposable
{
    private const int MaxErrorBytes = 64 << 10;

    /// <summary>About the longest pause before the second repeat.</summary>
    private static readonly TimeSpan UsualPause = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan UsualLimit = TimeSpan.FromSeconds(5);

    private static readonly ResiliencePropertyKey<ProviderRequest> Bounded = new("bounded");

    private readonly HttpMessageInvoker invoker;
    private readonly ResiliencePipeline<ProviderExchange> pipeline;
    private readonly TimeoutOptions timeouts;
    private readonly Dialect dialect;
    private readonly TimeProvider time;
    private readonly (string Name, string Value)? credential;
    private readonly string baseUrl;
    private readonly Uri? chat;
    private readonly ProviderKind kind;
    private readonly Uri responses;
    private readonly Uri embeddings;
    private readonly string anthropicVersion;
    private readonly CircuitBreakerStateProvider[] circuits = [new(), new()];
    private long limitedUntil;

    public ProviderClient(string name, ProviderKind kind, ProviderOptions options, GatewayOptions gateway, TimeProvider time)
    {
        dialect = kind.Dialect ?? throw new ArgumentException("A provider without a dialect has no client", nameof(kind));
        this.kind = kind;
        this.time = time;
        timeouts = gateway.Timeouts;
        anthropicVersion = gateway.AnthropicVersion;
        baseUrl = options.BaseUrl ?? kind.BaseUrl ?? throw new InvalidOperationException($"Provider {name} needs a BaseUrl");
        credential = string.IsNullOrEmpty(options.ApiKey) ? null : CredentialOf(kind, options.ApiKey);
        chat = kind.OnlyListens ? null : new(baseUrl + (dialect == Dialect.Anthropic ? "/v1/messages" : "/chat/completions"));
        CountTokensUri = new(baseUrl + "/v1/messages/count_tokens");
        responses = new(baseUrl + "/responses");
        embeddings = new(baseUrl + "/embeddings");
        invoker = new(Handler(new(baseUrl), gateway.Timeouts));
        pipeline = Pipeline(gateway, time);
    }

    public Uri CountTokensUri { get; }

    /// <summary>True while the provider is left alone because its calls keep failing.</summary>
    public bool IsCircuitOpen => Array.Exists(circuits, circuit => circuit.CircuitState is CircuitState.Open or CircuitState.Isolated);

    /// <summary>Whether the settings give it a key; what needs none counts as one that has none.</summary>
    public bool HasKey => credential is not null;

    /// <summary>True while it is better not asked, because it fails or has said that its limit is reached.</summary>
    public bool IsResting => IsCircuitOpen || time.GetUtcNow().UtcTicks < Volatile.Read(ref limitedUntil);

    /// <summary>
    /// Posts the body; retries what may pass (never after an answer began). The exchange holds the successful answer's head;
    /// its body is still to be read.
    /// </summary>
    /// <exception cref="Failure">The provider refused or could not be reached, in words fit for the client.</exception>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async ValueTask<ProviderExchange> SendAsync(ProviderRequest request, CancellationToken clientGone)
    {
        // What awaits an attempt then continues where the caller does, which spares calls on the pool a hop.
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, clientGone);
        if (request.IsBounded)
        {
            context.Properties.Set(Bounded, request);
        }
        try
        {
            return await pipeline.ExecuteAsync(
                static (context, state) => state.Client.AttemptAsync(state.Request, context.CancellationToken),
                context, (Client: this, Request: request));
        }
        catch (BrokenCircuitException open)
        {
            throw new Failure(FailureKind.Unavailable, "provider_unavailable", "The provider keeps failing and is left alone for a moment")
            {
                RetryAfter = open.RetryAfter ?? TimeSpan.FromSeconds(15),
            };
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public void Dispose() => invoker.Dispose();

    /// <param name="model">As the provider names it. Only Gemini has it, and the wish for a stream, in the address.</param>
    public Uri ChatUri(Dialect endpoint, string model, bool isStream) => endpoint switch
    {
        Dialect.Gemini => GeminiUri(model, isStream ? "streamGenerateContent?alt=sse" : "generateContent"),
        Dialect.OpenAiResponses => responses,
        Dialect.OpenAi or Dialect.Anthropic => chat ?? throw new Failure(
            FailureKind.NotFound, "unsupported_endpoint", $"The provider {kind.Name} writes down what is said and answers no chat",
            [new("model", "not supported")]),
    };

    /// <summary>An endpoint below the base address that has no name of its own here.</summary>
    public Uri UriOf(string path) => new(baseUrl + path);

    /// <summary>An endpoint of the same server that does not stand below the base address.</summary>
    public Uri RootUri(string path) => new(new Uri(baseUrl), path);

    public Uri EmbeddingsUri(string model) => dialect == Dialect.Gemini ? GeminiUri(model, "batchEmbedContents") : embeddings;

    public Uri GeminiUri(string model, string method) => new($"{baseUrl}/v1beta/models/{Uri.EscapeDataString(model)}:{method}");

    private static (string Name, string Value) CredentialOf(ProviderKind kind, string key) => kind.Dialect!.Value switch
    {
        Dialect.OpenAi or Dialect.OpenAiResponses => ("Authorization", $"{kind.KeyScheme} {key}"),
        Dialect.Anthropic => ("x-api-key", key),
        Dialect.Gemini => ("x-goog-api-key", key),
    };

    private async ValueTask<ProviderExchange> AttemptAsync(ProviderRequest request, CancellationToken clientGone)
    {
        request.Attempts++;
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(clientGone);
        HttpResponseMessage? response = null;
        try
        {
            deadline.CancelAfter(LimitOf(request));
            // Not disposed: that would only dispose the content, which holds memory we rent and return ourselves.
            var message = Message(request);
            response = await invoker.SendAsync(message, deadline.Token);
            if (response.IsSuccessStatusCode)
            {
                return new(response, deadline, clientGone);
            }
            using var error = await ProviderExchange.ReadAsync(response, MaxErrorBytes, isLimit: false, deadline.Token);
            throw Noted(ProviderFaults.Of(dialect, response, error.Memory, time.GetUtcNow()), request);
        }
        catch (Exception failure)
        {
            response?.Dispose();
            deadline.Dispose();
            if (failure is Failure || clientGone.IsCancellationRequested)
            {
                throw;
            }
            throw ProviderFaults.Of(failure);
        }
    }

    /// <summary>How long one attempt may take: until its first byte in a stream, else until its end.</summary>
    private TimeSpan LimitOf(ProviderRequest request)
    {
        var limits = request.Timeouts ?? timeouts;
        var limit = TimeSpan.FromMilliseconds(request.IsStream ? limits.FirstByteMs : limits.NonStreamMs);
        if (request.GiveUpAt == 0)
        {
            return limit;
        }
        var left = time.GetElapsedTime(time.GetTimestamp(), request.GiveUpAt);
        return left > TimeSpan.Zero ? left < limit ? left : limit : throw ProviderFaults.OutOfTime();
    }

    /// <summary>A limit that is reached is reached for all who use the operator's key.</summary>
    private Failure Noted(Failure failure, ProviderRequest request)
    {
        if (failure.Kind is FailureKind.TooMany or FailureKind.Quota && request.ApiKey is null)
        {
            Volatile.Write(ref limitedUntil, (time.GetUtcNow() + (failure.RetryAfter ?? UsualLimit)).UtcTicks);
        }
        return failure;
    }

    /// <summary>Whether a call that has limits of its own leaves room for another attempt.</summary>
    private bool MayRepeat(ResilienceContext context, TimeSpan? pause) =>
        !context.Properties.TryGetValue(Bounded, out var request)
        || (request.Attempts < request.MaxAttempts
            && (request.GiveUpAt == 0 || time.GetElapsedTime(time.GetTimestamp(), request.GiveUpAt) > (pause ?? UsualPause)));

    private HttpRequestMessage Message(ProviderRequest request)
    {
        var message = new HttpRequestMessage(request.Method, request.Uri) { Version = HttpVersion.Version11 };
        if (request.Method != HttpMethod.Get)
        {
            message.Content = new ReadOnlyMemoryContent(request.Body);
            message.Content.Headers.TryAddWithoutValidation("Content-Type", request.ContentType);
        }
        if (dialect == Dialect.Anthropic)
        {
            message.Headers.TryAddWithoutValidation("anthropic-version", request.AnthropicVersion ?? anthropicVersion);
            if (request.AnthropicBeta is not null)
            {
                message.Headers.TryAddWithoutValidation("anthropic-beta", request.AnthropicBeta);
            }
        }
        if ((request.ApiKey is null ? credential : CredentialOf(kind, request.ApiKey)) is var (name, key))
        {
            message.Headers.TryAddWithoutValidation(name, key);
        }
        return message;
    }

    private static SocketsHttpHandler Handler(Uri baseUri, TimeoutOptions timeouts) => new()
    {
        ConnectTimeout = TimeSpan.FromMilliseconds(timeouts.ConnectMs),
        ConnectCallback = static (context, ct) => ConnectAsync(context.DnsEndPoint, ct),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        // Servers of the own network are reached directly; public ones by the proxy of the environment, if there is one.
        UseProxy = baseUri.Scheme == Uri.UriSchemeHttps,
        ActivityHeadersPropagator = Signals.Spans.HasListeners() ? System.Diagnostics.DistributedContextPropagator.Current : null,
    };

    private static ValueTask<Stream> ConnectAsync(DnsEndPoint address, CancellationToken ct) => Connections.ConnectAsync(async socket =>
    {
        await socket.ConnectAsync(address, ct);
        // Not before: where a name has several addresses, each attempt makes a new one of it.
        socket.ContinueInline();
    });

    private ResiliencePipeline<ProviderExchange> Pipeline(GatewayOptions gateway, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<ProviderExchange> { TimeProvider = time };
        if (gateway.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions<ProviderExchange>
            {
                MaxRetryAttempts = gateway.Retries,
                BackoffType = DelayBackoffType.Exponential,
                Delay = TimeSpan.FromMilliseconds(500),
                MaxDelay = TimeSpan.FromSeconds(8),
                UseJitter = true,
                ShouldHandle = outcome => new(
                    ProviderFaults.MayPass(outcome.Outcome.Exception, outcome.AttemptNumber)
                    && MayRepeat(outcome.Context, (outcome.Outcome.Exception as Failure)?.RetryAfter)),
                DelayGenerator = static outcome => new((outcome.Outcome.Exception as Failure)?.RetryAfter),
            });
        }
        // Five failures and no success in half a minute, or half of at least twenty calls.
        return builder
            .AddCircuitBreaker(Breaker(failureRatio: 1.0, minimumCalls: 5, circuits[0]))
            .AddCircuitBreaker(Breaker(failureRatio: 0.5, minimumCalls: 20, circuits[1]))
            .Build();
    }

    private static CircuitBreakerStrategyOptions<ProviderExchange> Breaker(
        double failureRatio, int minimumCalls, CircuitBreakerStateProvider circuit) => new()
        {
            FailureRatio = failureRatio,
            MinimumThroughput = minimumCalls,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = TimeSpan.FromSeconds(15),
            ShouldHandle = static outcome => new(
                ProviderFaults.IsProviderFault(outcome.Outcome.Exception) && !IsOwnImpatience(outcome.Context, outcome.Outcome.Exception)),
            StateProvider = circuit,
        };

    /// <summary>A client that gave the provider less time than the settings do says nothing about the provider.</summary>
    private static bool IsOwnImpatience(ResilienceContext context, Exception? failure) =>
        failure is Failure { Kind: FailureKind.Timeout }
            && context.Properties.TryGetValue(Bounded, out var request) && request.Timeouts is not null;
}
