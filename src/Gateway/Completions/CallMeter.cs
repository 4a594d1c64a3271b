using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stoa.Gateway.Cache;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;

namespace Stoa.Gateway.Completions;

/// <summary>Records a call when it ends, before the client sees the end: usage and cost, limits, metrics, one line in the log.</summary>
internal sealed partial class CallMeter(
    UsageSpool spool, PriceBook prices, ILimits limits, KeyRing keys, TimeProvider time, ILogger<CallMeter> logger)
{
    public void Succeeded(GatewayCall call) => Complete(call, CallOutcome.Succeeded, 200, null);

    public void Failed(GatewayCall call, Failure failure) =>
        Complete(call, CallOutcome.Failed, call.Surface.Errors.StatusOf(failure), failure);

    /// <summary>Records a call whose answer broke off; throws on what the client is to be told, unless he has left.</summary>
    public void BrokenOff(HttpContext context, GatewayCall call, Exception thrown)
    {
        if (ClientLeftException.Explains(thrown, context))
        {
            Complete(call, CallOutcome.Cancelled, 499, null);
            return;
        }
        var failure = ProviderFaults.Of(thrown);
        Failed(call, failure);
        if (!context.Response.HasStarted)
        {
            AnswerHeaders.Write(context.Response, call, time);
        }
        // What nobody has foreseen goes on as it is: the log shall say where it came from.
        ExceptionDispatchInfo.Throw(failure.Kind == FailureKind.Internal ? thrown : failure);
    }

    /// <summary>The call is refused before it could cost anything: it leaves no record.</summary>
    public void Refused(GatewayCall call)
    {
        call.IsComplete = true;
        SettleTokens(call, taken: 0);
        call.Span?.Dispose();
    }

    private void SettleTokens(GatewayCall call, long taken)
    {
        if (call.Admission.Tokens is { } reading)
        {
            limits.Settle(new(call.Key.Id, "tokens"), CallGate.Window, taken - call.Admission.ReservedTokens, reading.TakenAt);
        }
    }

    private void Complete(GatewayCall call, CallOutcome outcome, int status, Failure? failure)
    {
        if (call.IsComplete)
        {
            return;
        }
        call.IsComplete = true;
        var usage = UsageOf(call, outcome);
        var elapsed = time.GetElapsedTime(call.Started);
        TimeSpan? first = call.FirstByte == 0 ? null : time.GetElapsedTime(call.Started, call.FirstByte);
        var now = time.GetUtcNow();
        call.Cost = call.Cache == CacheUse.Hit ? 0 : prices.Cost(call.Target, usage);
        spool.Append(new()
        {
            Id = call.Reservation.CallId is var reserved && reserved == Guid.Empty ? Guid.CreateVersion7(now) : reserved,
            At = now,
            OrganizationId = call.Key.OrganizationId,
            KeyId = call.Key.Id,
            RequestId = call.RequestId,
            Surface = call.Surface.Name,
            Provider = call.Target.Provider.Name,
            Model = call.Target.Model,
            ProviderKeyId = call.ProviderKeyId,
            Outcome = outcome,
            Error = failure?.Code ?? "",
            Status = status,
            IsStream = call.IsStream,
            IsEstimated = usage.Estimated,
            Attempts = call.Attempts,
            InputTokens = usage.Input,
            CacheReadTokens = usage.CacheRead,
            CacheWriteTokens = usage.CacheWrite,
            OutputTokens = usage.Output,
            ReasoningTokens = usage.Reasoning,
            Cost = call.Cost,
            IsCached = call.Cache == CacheUse.Hit,
            LatencyMs = (int)elapsed.TotalMilliseconds,
            FirstByteMs = (int?)first?.TotalMilliseconds,
        });
        call.Reservation.Recorded();
        keys.Used(call.Key);
        SettleTokens(call, usage.Total);
        if (call.Wishes?.Metadata is { } metadata)
        {
            call.Span?.SetTag("gtwy.metadata", metadata);
            LogMetadata(call.RequestId, metadata);
        }
        ModelSignals.End(call.Span, new(call.Surface.Operation, call.Target, usage, elapsed, first, call.IsStream, failure));
        LogCall(call.Surface.Name, call.Target.FullName, status, (int)elapsed.TotalMilliseconds,
            usage.Input, usage.Output, failure?.Code, call.RequestId);
    }

    private static TokenUsage UsageOf(GatewayCall call, CallOutcome outcome)
    {
        var passed = call.IsStream ? call.AnswerEvents : call.AnswerBytes / 4;
        if (call.Usage is { } reported)
        {
            // What a stream has reported when it was cut is its prompt; of its answer only the beginning.
            return outcome != CallOutcome.Succeeded && call.IsStream && passed > reported.Output
                ? reported with { Output = passed, Estimated = true }
                : reported;
        }
        // A refused call costs nothing; one that was cut had its prompt read and part of its answer made.
        return outcome == CallOutcome.Failed && call.AnswerBytes == 0
            ? new(0, 0)
            : new(call.EstimatedInput, passed, Estimated: true);
    }

    [LoggerMessage(LogLevel.Information, "{RequestId} carries {Metadata}")]
    private partial void LogMetadata(string requestId, string metadata);

    [LoggerMessage(
        LogLevel.Information, "{Surface} {Model} {Status} in {Milliseconds} ms, {InputTokens}+{OutputTokens} tokens {Error} {RequestId}")]
    private partial void LogCall(
        string surface, string model, int status, int milliseconds, long inputTokens, long outputTokens, string? error, string requestId);
}
