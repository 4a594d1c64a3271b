using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Usage;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>A run's call to a model, with what its usage record will say.</summary>
internal sealed class MeteredCall(ModelAsk ask, long estimatedInput, Reservation reservation, long started)
{
    public ModelAsk Ask => ask;

    public long Started => started;

    public long EstimatedInput => estimatedInput;

    public Reservation Reservation => reservation;

    /// <summary>A timestamp; 0 until the answer began.</summary>
    public long FirstByte { get; set; }

    /// <summary>Steps of the answer that were passed on.</summary>
    public int Passed { get; set; }

    /// <summary>What of a streamed answer has come.</summary>
    public AnswerAssembly? Text { get; set; }

    public Activity? Span { get; } = ModelSignals.Start(RunMeter.Operation, ask.Target);
}

/// <summary>Holds back what a call may cost, and records it when it ends, before the run goes on.</summary>
internal sealed partial class RunMeter(UsageSpool spool, PriceBook prices, BudgetGate budgets, TimeProvider time, ILogger<RunMeter> logger)
{
    public const string Operation = "chat";

    private const string Surface = "gtwy.chat";
    private const int UsualAnswer = 1_024;

    /// <exception cref="Failure">Quota: a budget is used up. Unavailable: usage cannot be recorded now, or nobody knows the
    /// budgets.</exception>
    public async ValueTask<MeteredCall> BeginAsync(Run run, ModelAsk ask, CancellationToken ct)
    {
        if (!spool.HasRoom)
        {
            throw Failure.Unavailable("Usage cannot be recorded now, so no calls are taken", TimeSpan.FromSeconds(5));
        }
        run.Clock.QueueTime ??= time.GetElapsedTime(run.Started).TotalSeconds;
        var input = TokenEstimate.Of(ask.Request);
        var organization = run.Request.OrganizationId;
        var reservation = budgets.Concerns(organization)
            ? await budgets.ReserveAsync(
                organization, ScopesOf(run), CostOf(run.Choice, new(input, ask.Request.MaxOutput ?? UsualAnswer)) ?? 0, ct)
            : Reservation.None;
        return new(ask, input, reservation, time.GetTimestamp());
    }

    public void Succeeded(Run run, MeteredCall call, TokenUsage usage) =>
        Record(run, call, usage, CallOutcome.Succeeded, 200, failure: null);

    public void Failed(Run run, MeteredCall call, Failure failure) =>
        Record(run, call, Partly(call), CallOutcome.Failed, RunFailures.StatusOf(failure), failure);

    public void Cancelled(Run run, MeteredCall call)
    {
        run.Content = call.Text?.Text ?? run.Content;
        Record(run, call, Partly(call), CallOutcome.Cancelled, 499, failure: null);
    }

    /// <summary>An answer that nobody was asked for just now: a stored one again, at no cost, or one of a provider's batch.</summary>
    public void Received(Run run, TokenUsage usage)
    {
        var call = new MeteredCall(new(run.Choice.Target, new() { Model = run.Choice.Model, Source = Dialect.OpenAi }) { Attempts = 0 },
            0, Reservation.None, time.GetTimestamp());
        Record(run, call, usage, CallOutcome.Succeeded, 200, failure: null, isCached: true);
    }

    private void Record(
        Run run, MeteredCall call, TokenUsage usage, CallOutcome outcome, int status, Failure? failure, bool isCached = false)
    {
        var elapsed = time.GetElapsedTime(call.Started);
        var now = time.GetUtcNow();
        var target = call.Ask.Target;
        var cost = isCached ? 0 : CostOf(run.Choice, usage);
        run.Add(usage, cost);
        run.Clock.AddCall(run.Choice.Service.Name, elapsed.TotalSeconds);
        TimeSpan? first = call.FirstByte == 0 ? null : time.GetElapsedTime(call.Started, call.FirstByte);
        run.Clock.TimeToFirstToken ??= first is null ? null : time.GetElapsedTime(run.Started, call.FirstByte).TotalSeconds;
        spool.Append(new()
        {
            Id = call.Reservation.CallId is var reserved && reserved == Guid.Empty ? Guid.CreateVersion7(now) : reserved,
            At = now,
            OrganizationId = run.Request.OrganizationId,
            KeyId = run.Request.Caller.KeyId ?? Guid.Empty,
            RequestId = run.Request.RequestId,
            Surface = Surface,
            Provider = target.Provider.Name,
            Model = target.Model,
            Outcome = outcome,
            Error = failure?.Code ?? "",
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
            IsCached = isCached,
            LatencyMs = (int)elapsed.TotalMilliseconds,
            FirstByteMs = (int?)first?.TotalMilliseconds,
            AgentId = run.Plan.AgentId ?? "",
            VersionId = run.Plan.VersionId ?? "",
            FolderId = run.Plan.Agent?.FolderId ?? "",
            ProviderKeyId = run.Choice.KeyId ?? "",
            ThreadId = run.ThreadId,
        });
        call.Reservation.Recorded();
        if (run.Choice.KeyId is { } key && KeyStatusOf(outcome, failure) is { } shown)
        {
            run.KeyStatuses[key] = shown;
        }
        ModelSignals.End(call.Span, new(Operation, target, usage, elapsed, first, call.Ask.Request.Stream, failure));
        LogCall(Surface, target.FullName, status, (int)elapsed.TotalMilliseconds,
            usage.Input, usage.Output, failure?.Code, run.Request.RequestId);
    }

    /// <summary>What the call has shown of the organization's key; null when nothing.</summary>
    private static string? KeyStatusOf(CallOutcome outcome, Failure? failure) => failure switch
    {
        null => outcome == CallOutcome.Succeeded ? "working" : null,
        { Code: "upstream_authentication" } => "invalid",
        { Kind: FailureKind.Forbidden } => "unauthorized",
        { Kind: FailureKind.TooMany } or { Code: "insufficient_quota" } => "limited",
        _ => null,
    };

    /// <summary>A refused call costs nothing; one that was cut had its prompt read and part of its answer made.</summary>
    private static TokenUsage Partly(MeteredCall call) => call.Text is not { } text ? new(0, 0)
        : text.Usage is { } reported && reported.Output >= call.Passed ? reported
        : new(text.Usage?.Input ?? call.EstimatedInput, TokenEstimate.Of(text.Parts), Estimated: true);

    /// <summary>By the operator's price for the model, else by the one that the model's document gives.</summary>
    private decimal? CostOf(ModelChoice choice, in TokenUsage usage)
    {
        if (prices.Cost(choice.Target, usage) is { } cost)
        {
            return cost;
        }
        return choice.Document.Price is not { } price ? null
            : PriceBook.Cost(
                new(choice.Service.Name, choice.Model, default, price.Input, price.CacheRead, price.CacheWrite, price.Output), usage);
    }

    private static List<BudgetScope> ScopesOf(Run run)
    {
        List<BudgetScope> scopes = [BudgetScope.Organization, BudgetScope.ProviderKey(run.Choice.KeyId ?? "")];
        if (run.Plan.Agent?.FolderId is { } folder)
        {
            scopes.Add(BudgetScope.Folder(folder));
        }
        if (run.Plan.AgentId is { } agent)
        {
            scopes.Add(BudgetScope.Agent(agent));
        }
        if (run.Request.Caller.KeyId is { } key)
        {
            scopes.Add(BudgetScope.Key(key));
        }
        return scopes;
    }

    [LoggerMessage(
        LogLevel.Information, "{Surface} {Model} {Status} in {Milliseconds} ms, {InputTokens}+{OutputTokens} tokens {Error} {RequestId}")]
    private partial void LogCall(
        string surface, string model, int status, int milliseconds, long inputTokens, long outputTokens, string? error, string requestId);
}
