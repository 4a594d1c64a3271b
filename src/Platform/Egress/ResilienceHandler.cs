using System.Net;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using Stoa.Platform.Http;

namespace Stoa.Platform.Egress;

/// <summary>How a named client copes with a service that fails. The defaults suit small calls to a vendor's API.</summary>
public sealed class ResilienceOptions
{
    /// <summary>Further attempts after the first.</summary>
    public int Retries { get; set; } = 2;

    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(0.5);

    /// <summary>A service that asks for a longer wait than this is not asked again; its answer goes to the caller.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(10);

    public TimeSpan AttemptTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public TimeSpan TotalTimeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>Half of at least this many calls failing within 30 s opens the circuit for 15 s.</summary>
    public int BreakAfter { get; set; } = 20;
}

/// <summary>Total timeout around retries around a circuit breaker around the timeout of each attempt.</summary>
internal sealed class ResilienceHandler(ResilienceOptions options, TimeProvider time) : DelegatingHandler
{
    public static readonly HttpRequestOptionsKey<bool> Repeatable = new("stoa.repeatable");

    private static readonly ResiliencePropertyKey<HttpRequestMessage> Request = new("stoa.request");

    private readonly ResiliencePipeline<HttpResponseMessage> pipeline = Build(options, time);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Request, request);
        try
        {
            return await pipeline.ExecuteAsync(
                static async (context, state) => await state.Handler.SendOnceAsync(state.Request, context.CancellationToken),
                context,
                (Handler: this, Request: request));
        }
        catch (BrokenCircuitException error)
        {
            throw Failure.Unavailable(
                "the service keeps failing and is left alone for a moment", error.RetryAfter ?? TimeSpan.FromSeconds(1));
        }
        catch (TimeoutRejectedException)
        {
            throw new Failure(FailureKind.Timeout, "upstream_timeout", "the service did not answer in time");
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken ct) => base.SendAsync(request, ct);

    private static ResiliencePipeline<HttpResponseMessage> Build(ResilienceOptions options, TimeProvider time)
    {
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time };
        builder.AddTimeout(options.TotalTimeout);
        if (options.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.Retries,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = options.FirstDelay,
                MaxDelay = options.MaxDelay,
                ShouldHandle = arguments => ValueTask.FromResult(
                    MayRepeat(arguments.Context)
                    && HasFailed(arguments.Outcome)
                    && !(AskedWaitOf(arguments.Outcome, time) > options.MaxDelay)),
                DelayGenerator = arguments => ValueTask.FromResult(AskedWaitOf(arguments.Outcome, time)),
                OnRetry = static arguments =>
                {
                    arguments.Outcome.Result?.Dispose();
                    return default;
                },
            });
        }
        builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
        {
            FailureRatio = 0.5,
            MinimumThroughput = options.BreakAfter,
            SamplingDuration = TimeSpan.FromSeconds(30),
            BreakDuration = TimeSpan.FromSeconds(15),
            // A service that asks to wait is alive.
            ShouldHandle = arguments => ValueTask.FromResult(
                HasFailed(arguments.Outcome) && arguments.Outcome.Result?.StatusCode != HttpStatusCode.TooManyRequests),
        });
        builder.AddTimeout(options.AttemptTimeout);
        return builder.Build();
    }

    private static bool MayRepeat(ResilienceContext context) =>
        context.Properties.TryGetValue(Request, out var request)
        && ((request.Options.TryGetValue(Repeatable, out var repeatable) && repeatable)
            || request.Method == HttpMethod.Get || request.Method == HttpMethod.Head || request.Method == HttpMethod.Options
            || request.Method == HttpMethod.Put || request.Method == HttpMethod.Delete);

    private static bool HasFailed(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Exception: HttpRequestException or IOException or TimeoutRejectedException } => true,
        { Result.StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests } => true,
        { Result.StatusCode: var status } => (int)status >= 500,
        _ => false,
    };

    private static TimeSpan? AskedWaitOf(Outcome<HttpResponseMessage> outcome, TimeProvider time) =>
        outcome.Result is { } answer ? AskedWait.Of(answer, time) : null;
}
