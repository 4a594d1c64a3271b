using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Auth;
using Stoa.Gateway.Chat;
using Stoa.Platform.Http;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Runs;

/// <summary>How often an agent and a conversation may be run in a minute, each organization for itself.</summary>
internal sealed class RunLimits(ILimits limits, InFlight inFlight, IOptions<GatewayOptions> options)
{
    private const int OfAgent = 100;
    private const int OfThread = 20;
    private const long UsualAnswer = 1_024;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    /// <exception cref="Failure">Too many; what was counted for one of the two stays counted.</exception>
    public async ValueTask TakeAsync(HttpContext context, GtwyCaller caller, string? agentId, string? threadId)
    {
        LimitReading? tightest = null;
        if (caller.Key is { RequestsPerMinute: { } perMinute } key
            && await limits.TakeAsync(new(key.Id, "requests"), perMinute, Window, 1, context.RequestAborted) is { Allowed: false } refused)
        {
            Write(context.Response.Headers, refused);
            throw Failure.TooMany($"Too many requests for this key: {perMinute} per minute", refused.RetryAfter);
        }
        foreach (var (dimension, value, limit) in new[] { ("run.agent", agentId, OfAgent), ("run.thread", threadId, OfThread) })
        {
            if (value is null)
            {
                continue;
            }
            var reading =
                await limits.TakeAsync(new(caller.OrganizationId, $"{dimension}:{value}"), limit, Window, 1, context.RequestAborted);
            tightest = tightest is { } other && other.Remaining < reading.Remaining ? other : reading;
            if (!reading.Allowed)
            {
                Write(context.Response.Headers, reading);
                throw Failure.TooMany($"Too many requests for {value}", reading.RetryAfter);
            }
        }
        if (tightest is { } shown)
        {
            Write(context.Response.Headers, shown);
        }
    }

    /// <summary>Takes of the tokens of the caller's key what a run may come to; null for who has no such limit.</summary>
    /// <returns>To be told what the run did take. Where nobody knows that, what was taken stays taken.</returns>
    /// <exception cref="Failure">There are not as many left.</exception>
    public async ValueTask<Action<long>?> TakeTokensAsync(HttpContext context, GtwyCaller caller, string user)
    {
        if (caller.Key is not { TokensPerMinute: { } perMinute } key)
        {
            return null;
        }
        // A single run that is larger than the limit may still go on when the window is empty.
        var reserved = Math.Min(TokenEstimate.Of(user) + UsualAnswer, perMinute);
        var reading = await limits.TakeAsync(new(key.Id, "tokens"), perMinute, Window, reserved, context.RequestAborted);
        if (!reading.Allowed)
        {
            Write(context.Response.Headers, reading);
            throw Failure.TooMany($"Too many tokens for this key: {perMinute} per minute", reading.RetryAfter);
        }
        return used => limits.Settle(new(key.Id, "tokens"), Window, used - reserved, reading.TakenAt);
    }

    /// <summary>A place among the runs that are under way; disposing it gives it back.</summary>
    /// <exception cref="Failure">All are taken.</exception>
    public IDisposable Enter(Guid organizationId) => inFlight.TryEnter(organizationId, options.Value.MaxInFlightPerOrganization)
        ? new Place(inFlight, organizationId)
        : throw Failure.TooMany("Too many runs are under way", TimeSpan.FromSeconds(1));

    private static void Write(IHeaderDictionary headers, LimitReading reading)
    {
        headers["X-RateLimit-Limit"] = reading.Limit.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Remaining"] = reading.Remaining.ToString(CultureInfo.InvariantCulture);
        headers["X-RateLimit-Reset"] = Seconds(reading.Reset);
        if (!reading.Allowed)
        {
            headers.RetryAfter = Seconds(reading.RetryAfter);
        }
    }

    /// <summary>Rounded up, and at least one: a client that obeys is not refused again.</summary>
    private static string Seconds(TimeSpan time) =>
        Math.Max(1, (long)Math.Ceiling(time.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private sealed class Place(InFlight inFlight, Guid organizationId) : IDisposable
    {
        public void Dispose() => inFlight.Exit(organizationId);
    }
}
