using Microsoft.Extensions.Logging;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.Runs.Safety;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Telemetry;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Runs an agent. Whoever asks for it (a route, the queue, another agent, a test case), a run goes through these steps: what runs, whose
/// turn it is, what may be said, what is done before, what is asked, the answer with its tools, and what stays of it.
/// </summary>
internal sealed partial class AgentRunner(
    RunPlans plans, ThreadTurns threads, Guardrails guardrails, PreToolStep preTools,
    ToolMaking tools, AnswerCache cache, AnswerLoop answers, AnswerRepair repair,
    MediaRuns media, RunFailures failures, RunLog log, IEnumerable<IRunFollower> followers, TimeProvider time, ILogger<AgentRunner> logger)
{
    private const int MaxTransfers = 10;

    /// <exception cref="Failure">The run could not begin: what is asked for does not exist, may not run, or is busy. Nothing is
    /// logged.</exception>
    /// <exception cref="OperationCanceledException">The caller has left. That is logged.</exception>
    public Task<RunResult> RunAsync(RunRequest request, IRunSink sink, CancellationToken ct) => RunAsync(request, plan: null, sink, ct);

    /// <summary>The same where the request's plan was found already, to see whether the caller may run it.</summary>
    public async Task<RunResult> RunAsync(RunRequest request, RunPlan? plan, IRunSink sink, CancellationToken ct)
    {
        for (var transfers = 0; ; transfers++)
        {
            var (result, next) = await RunAgentAsync(request, plan, isFirst: transfers == 0, sink, ct);
            if (next is null || transfers == MaxTransfers)
            {
                await sink.TellAsync(new RunStep.Done(result), ct);
                return result;
            }
            (request, plan) = (next, null);
        }
    }

    /// <summary>One agent's part of it, and the request with which another one takes over.</summary>
    private async Task<(RunResult Result, RunRequest? Next)> RunAgentAsync(
        RunRequest request, RunPlan? plan, bool isFirst, IRunSink sink, CancellationToken ct)
    {
        var run = await BeginAsync(request, plan, ct);
        using var span = Signals.Spans.HasListeners() ? Signals.Spans.StartActivity($"invoke_agent {run.Plan.Agent?.Name}") : null;
        span?.SetTag("gen_ai.operation.name", "invoke_agent");
        span?.SetTag("gen_ai.agent.id", run.Plan.AgentId);
        try
        {
            await EnterConversationAsync(run, ct);
            if (isFirst && await StickyAsync(run, ct) is { } other)
            {
                return (RunResult.None, other);
            }
            var result = await AnswerAsync(run, sink, ct);
            var next = run.Transfer is { } transfer && result.IsSuccess ? Next(run, transfer) : null;
            await EndAsync(run, result, next?.MessageId);
            return (result, next);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await EndAsync(run, RunResult.Cancelled, nextMessageId: null);
            throw;
        }
        finally
        {
            if (run.Turn is { } turn)
            {
                await turn.DisposeAsync();
            }
        }
    }

    /// <summary>For the agent to which the conversation was handed over before; null where nobody was, or he can no longer run.</summary>
    private async ValueTask<RunRequest?> StickyAsync(Run run, CancellationToken ct)
    {
        if (run.StickyAgentId is not { } sticky)
        {
            return null;
        }
        var request = run.Request with { AgentId = sticky, VersionId = null, OriginAgentId = run.Plan.AgentId };
        try
        {
            await plans.FindAsync(request, run.Input, ct);
            return request;
        }
        catch (Failure)
        {
            return null;
        }
    }

    private async ValueTask<Run> BeginAsync(RunRequest request, RunPlan? found, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var now = time.GetUtcNow();
        var input = found?.Input ?? new(request.Body);
        input.Check();
        var plan = found ?? await plans.FindAsync(request, input, ct);
        return Runs(plan.Type) || MediaRuns.Answers(plan.Type)
            ? new(request, input, plan, Guid.CreateVersion7(now), started, now)
            : throw Failure.Invalid($"configuration.type {plan.Type} cannot be run here", "configuration.type", "unsupported_type");
    }

    /// <summary>Whether models of this type answer in words.</summary>
    public static bool Runs(string type) => type is "chat" or "reasoning" or "fine-tune" or "completion";

    private async Task EnterConversationAsync(Run run, CancellationToken ct)
    {
        if (run.Thread is not { } thread || run.Plan.AgentId is null || run.Plan.IsStateless)
        {
            return;
        }
        if (run.Input.MayRunInParallel || run.Request.Depth > 0)
        {
            run.Past = await threads.ReadAsync(thread, ct);
            return;
        }
        (run.Turn, run.Past) = await threads.EnterAsync(thread, ct);
    }

    private async Task<RunResult> AnswerAsync(Run run, IRunSink sink, CancellationToken ct)
    {
        try
        {
            run.Variables =
                new(run.Input.Body.Object("variables"), run.Plan.VariablesState, run.User, run.StartedAt, run.Plan.Agent?.TimeZone);
            run.MissingVariables.UnionWith(run.Variables.MissingRequired);
            if (await guardrails.CheckAsync(run, run.User, ct) is { } refusal)
            {
                return refusal;
            }
            await preTools.RunAsync(run, ct);
            RequestWriting.WriteSystemText(run, await plans.WrapperAsync(run, ct));
            if (MediaRuns.Answers(run))
            {
                return await media.AnswerAsync(run, ct);
            }
            // An answer that has to be checked is not told before.
            var listener = Guardrails.ChecksOutput(run) ? new HeldBackSink(sink) : sink;
            await using var available = await tools.MakeAsync(run, ct);
            run.Transfer = await cache.AnswerAsync(run, available, listener, ct => AskAsync(run, available, listener, ct), ct);
            if (run.Transfer is null)
            {
                await repair.RunAsync(run, mayAsk: !listener.IsStream, ct);
                if (Guardrails.ChecksOutput(run) && await guardrails.CheckAsync(run, run.Content, ct) is { } withheld)
                {
                    return withheld;
                }
            }
            return StandardAnswer.Of(run);
        }
        catch (Exception thrown) when (!ct.IsCancellationRequested)
        {
            var failure = ProviderFaults.Of(thrown);
            if (failure.Kind == FailureKind.Internal)
            {
                LogFailed(thrown, run.Id);
            }
            run.FinishReason = FinishReason.Error;
            return failures.Of(run, failure);
        }
    }

    /// <summary>
    /// The planned model, or one that takes its place as long as nothing was said yet. Tools that have run do not run again.
    /// </summary>
    private async Task<AgentTransfer?> AskAsync(Run run, ToolSet tools, IRunSink sink, CancellationToken ct)
    {
        using var targets = Fallback.TargetsOf(run).GetEnumerator();
        while (true)
        {
            try
            {
                return await answers.RunAsync(run, tools, sink, ct);
            }
            catch (Failure failure)
                when (!ct.IsCancellationRequested && !run.HasTold && Fallback.MayHelp(run, failure, RunFailures.KindOf(failure)))
            {
                if (await NextChoiceAsync(run, targets, ct) is not { } choice)
                {
                    throw;
                }
                run.FailedWith(failure, RunFailures.WordsOf(run.Choice, failure));
                run.Choice = choice;
            }
        }
    }

    private async Task<ModelChoice?> NextChoiceAsync(Run run, IEnumerator<(string Service, string Model)> targets, CancellationToken ct)
    {
        while (targets.MoveNext())
        {
            try
            {
                var choice = await plans.FindFallbackAsync(run.Request, run.Plan, targets.Current.Service, targets.Current.Model, ct);
                if (choice.Target.Provider.Client?.IsCircuitOpen != true)
                {
                    return choice;
                }
            }
            catch (Failure failure)
            {
                // One that cannot be asked is no reason to leave out the next.
                LogNoFallback(targets.Current.Service, targets.Current.Model, failure.Message);
            }
        }
        return null;
    }

    /// <summary>The other agent answers the same caller, in the same conversation, under its own name in the history.</summary>
    private RunRequest Next(Run run, AgentTransfer transfer)
    {
        var body = (System.Text.Json.Nodes.JsonObject)run.Request.Body.DeepClone();
        body["user"] = transfer.Query.Length > 0 ? transfer.Query : run.User;
        foreach (var own in new[] { "configuration", "service", "apikey", "version_id", "environment", "settings", "extra_tools" })
        {
            body.Remove(own);
        }
        run.Content = run.Content.Length > 0 ? run.Content : $"Query is successfully transferred to agent {transfer.Name}";
        return run.Request with
        {
            Body = body,
            AgentId = transfer.AgentId,
            VersionId = transfer.VersionId,
            MessageId = Guid.CreateVersion7(time.GetUtcNow()).ToString(),
            ParentMessageId = run.Request.MessageId,
            OriginAgentId = run.Request.OriginAgentId ?? run.Plan.AgentId,
        };
    }

    private async Task EndAsync(Run run, RunResult result, string? nextMessageId)
    {
        run.Seconds = time.GetElapsedTime(run.Started).TotalSeconds;
        run.LoggedAt = time.GetUtcNow();
        foreach (var fault in run.Faults)
        {
            LogFailed(fault, run.Id);
        }
        try
        {
            // Also when the caller has just left: what happened has happened.
            await log.WriteAsync(run, result, nextMessageId, [.. followers.SelectMany(follower => follower.Follow(run, result))]);
        }
        catch (Exception exception) when (Outage.Is(exception))
        {
            // Told in the words of whoever asked, also at the end of a stream: what is not kept was not answered.
            LogFailed(exception, run.Id);
            throw Failure.Unavailable("The run could not be kept", TimeSpan.FromSeconds(5));
        }
    }

    [LoggerMessage(LogLevel.Error, "Something unforeseen happened in the run {Run}")]
    private partial void LogFailed(Exception exception, Guid run);

    [LoggerMessage(LogLevel.Warning, "The fallback {Service}/{Model} of an agent cannot be asked: {Problem}")]
    private partial void LogNoFallback(string service, string model, string problem);
}
