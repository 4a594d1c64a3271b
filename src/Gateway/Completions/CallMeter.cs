using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Limits;
using Stoa.Platform.Telemetry;

namespace Stoa.Gateway.Completions;

/// <summary>Records a call when it ends, before the client sees the end: usage and cost, limits, metrics, one line in the log.</summary>
internal sealed partial class CallMeter(
    UsageSpool spool, PriceBook prices, ILimits limits, KeyRing keys, TimeProvider time, ILogger<CallMeter> logger)
{
    // Names and units: OpenTelemetry's GenAI conventions.
    private static readonly Histogram<double> Duration = Signals.Meter.CreateHistogram<double>("gen_ai.client.operation.duration", "s");
    private static readonly Histogram<long> Tokens = Signals.Meter.CreateHistogram<long>("gen_ai.client.token.usage", "{token}");
    private static readonly Histogram<double> FirstChunk = Signals.Meter.CreateHistogram<double>("gen_ai.client.operation.time_to_first_chunk", "s");

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
        spool.Append(new()
        {
            Id = Guid.CreateVersion7(now),
            At = now,
            OrganizationId = call.Key.OrganizationId,
            KeyId = call.Key.Id,
            RequestId = call.RequestId,
            Surface = call.Surface.Name,
            Provider = call.Target.Provider.Name,
            Model = call.Target.Model,
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
            Cost = prices.Cost(call.Target, usage),
            LatencyMs = (int)elapsed.TotalMilliseconds,
            FirstByteMs = (int?)first?.TotalMilliseconds,
        });
        keys.Used(call.Key);
        if (call.Admission.Tokens is { } taken)
        {
            limits.Settle(new(call.Key.Id, "tokens"), CallGate.Window, usage.Total - call.Admission.ReservedTokens, taken.TakenAt);
        }
        Measure(call, usage, elapsed, first, failure);
        EndSpan(call, usage, failure);
        if (call.Wishes?.Metadata is { } metadata)
        {
            LogMetadata(call.RequestId, metadata);
        }
        LogCall(call.Surface.Name, call.Target.FullName, status, (int)elapsed.TotalMilliseconds, usage.Input, usage.Output, failure?.Code, call.RequestId);
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

    private static void Measure(GatewayCall call, TokenUsage usage, TimeSpan elapsed, TimeSpan? first, Failure? failure)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", call.Surface.Operation },
            { "gen_ai.provider.name", call.Target.Provider.Name },
            { "gen_ai.request.model", call.Target.Model },
        };
        if (failure is not null)
        {
            tags.Add("error.type", failure.Code);
        }
        Duration.Record(elapsed.TotalSeconds, tags);
        if (first is { } waited && call.IsStream)
        {
            FirstChunk.Record(waited.TotalSeconds, tags);
        }
        if (usage.Total > 0)
        {
            tags.Add("gen_ai.token.type", "input");
            Tokens.Record(usage.Input, tags);
            tags[^1] = new("gen_ai.token.type", "output");
            Tokens.Record(usage.Output, tags);
        }
    }

    private static void EndSpan(GatewayCall call, TokenUsage usage, Failure? failure)
    {
        if (call.Span is not { } span)
        {
            return;
        }
        span.SetTag("gen_ai.operation.name", call.Surface.Operation);
        span.SetTag("gen_ai.provider.name", call.Target.Provider.Name);
        span.SetTag("gen_ai.request.model", call.Target.Model);
        span.SetTag("gen_ai.usage.input_tokens", usage.Input);
        span.SetTag("gen_ai.usage.output_tokens", usage.Output);
        if (call.Wishes?.Metadata is { } metadata)
        {
            span.SetTag("gtwy.metadata", metadata);
        }
        if (failure is not null)
        {
            span.SetTag("error.type", failure.Code);
            span.SetStatus(ActivityStatusCode.Error);
        }
        span.Dispose();
    }

    [LoggerMessage(LogLevel.Information, "{RequestId} carries {Metadata}")]
    private partial void LogMetadata(string requestId, string metadata);

    [LoggerMessage(LogLevel.Information, "{Surface} {Model} {Status} in {Milliseconds} ms, {InputTokens}+{OutputTokens} tokens {Error} {RequestId}")]
    private partial void LogCall(string surface, string model, int status, int milliseconds, long inputTokens, long outputTokens, string? error, string requestId);
}
