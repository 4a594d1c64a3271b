using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>A run's call to a model, with what its usage record will say.</summary>
internal sealed class MeteredCall(ModelAsk ask, long started)
{
    public ModelAsk Ask => ask;

    public long Started => started;

    public long EstimatedInput { get; } = TokenEstimate.Of(ask.Request);

    /// <summary>A timestamp; 0 until the answer began.</summary>
    public long FirstByte { get; set; }

    /// <summary>Steps of the answer that were passed on.</summary>
    public int Passed { get; set; }

    /// <summary>What of a streamed answer has come.</summary>
    public AnswerAssembly? Text { get; set; }
}

/// <summary>Records each call of a run when it ends, before the run goes on.</summary>
internal sealed class RunMeter(UsageSpool spool, PriceBook prices, TimeProvider time)
{
    public MeteredCall Begin(Run run, ModelAsk ask)
    {
        run.Clock.QueueTime ??= time.GetElapsedTime(run.Started).TotalSeconds;
        return new(ask, time.GetTimestamp());
    }

    public void Succeeded(Run run, MeteredCall call, TokenUsage usage) => Record(run, call, usage, CallOutcome.Succeeded, 200, "");

    public void Failed(Run run, MeteredCall call, Failure failure) =>
        Record(run, call, Partly(call), CallOutcome.Failed, RunFailures.StatusOf(failure), failure.Code);

    public void Cancelled(Run run, MeteredCall call)
    {
        run.Content = call.Text?.Text ?? run.Content;
        Record(run, call, Partly(call), CallOutcome.Cancelled, 499, "");
    }

    private void Record(Run run, MeteredCall call, TokenUsage usage, CallOutcome outcome, int status, string error)
    {
        var elapsed = time.GetElapsedTime(call.Started);
        var now = time.GetUtcNow();
        var target = call.Ask.Target;
        var cost = prices.Cost(target, usage) ?? CostOf(run.Choice, usage);
        run.Add(usage, cost);
        run.Clock.AddCall(run.Choice.Service.Name, elapsed.TotalSeconds);
        TimeSpan? first = call.FirstByte == 0 ? null : time.GetElapsedTime(call.Started, call.FirstByte);
        run.Clock.TimeToFirstToken ??= first is null ? null : time.GetElapsedTime(run.Started, call.FirstByte).TotalSeconds;
        spool.Append(new()
        {
            Id = Guid.CreateVersion7(now),
            At = now,
            OrganizationId = run.Request.OrganizationId,
            KeyId = run.Request.Caller.KeyId ?? Guid.Empty,
            RequestId = run.Request.RequestId,
            Surface = "gtwy.chat",
            Provider = target.Provider.Name,
            Model = target.Model,
            Outcome = outcome,
            Error = error,
            Status = status,
            IsStream = call.Ask.Request.Stream,
            IsEstimated = usage.Estimated,
            Attempts = call.Ask.Attempts,
            InputTokens = usage.Input,
            CacheReadTokens = usage.CacheRead,
            CacheWriteTokens = usage.CacheWrite,
            OutputTokens = usage.Output,
            ReasoningTokens = usage.Reasoning,
            Cost = cost,
            LatencyMs = (int)elapsed.TotalMilliseconds,
            FirstByteMs = (int?)first?.TotalMilliseconds,
        });
    }

    /// <summary>A refused call costs nothing; one that was cut had its prompt read and part of its answer made.</summary>
    private static TokenUsage Partly(MeteredCall call) => call.Text is not { } text ? new(0, 0)
        : text.Usage is { } reported && reported.Output >= call.Passed ? reported
        : new(text.Usage?.Input ?? call.EstimatedInput, TokenEstimate.Of(text.Parts), Estimated: true);

    private static decimal? CostOf(ModelChoice choice, TokenUsage usage)
    {
        if (choice.Document.Price is not { } price)
        {
            return null;
        }
        var fresh = Math.Max(0, usage.Input - usage.CacheRead - usage.CacheWrite);
        return decimal.Round(
            ((fresh * price.Input) + (usage.CacheRead * price.CacheRead) + (usage.CacheWrite * price.CacheWrite) + (usage.Output * price.Output)) / 1_000_000m, 10);
    }
}
