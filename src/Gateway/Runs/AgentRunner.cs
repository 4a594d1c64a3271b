using Stoa.Gateway.Chat;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Gateway.Runs.Prompts;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>Runs an agent: every run, whether a route, the queue, another agent or a test case asks for it, goes through these steps.</summary>
internal sealed class AgentRunner(
    RunPlans plans, ThreadTurns threads, ToolMaking tools, AnswerLoop answers, RunFailures failures, RunLog log, TimeProvider time)
{
    /// <exception cref="Failure">The run could not begin: what is asked for does not exist, may not run, or is busy. Nothing is logged.</exception>
    /// <exception cref="OperationCanceledException">The caller has left. That is logged.</exception>
    public async Task<RunResult> RunAsync(RunRequest request, IRunSink sink, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var now = time.GetUtcNow();
        var input = new RunInput(request.Body);
        input.Check();
        var plan = await plans.FindAsync(request, input, ct);
        var run = new Run(request, input, plan, Guid.CreateVersion7(now), started, now);
        await EnterConversationAsync(run, ct);
        try
        {
            var result = await AnswerAsync(run, sink, ct);
            await EndAsync(run, result, result.IsSuccess ? StandardAnswer.FinishReason(run.StopReason) : "error");
            await sink.TellAsync(new RunStep.Done(result), ct);
            return result;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await EndAsync(run, new([], 499, IsSuccess: false), "cancelled");
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

    private async Task<RunResult> AnswerAsync(Run run, IRunSink sink, CancellationToken ct)
    {
        try
        {
            run.Variables = new(run.Input.Body.Object("variables"), run.Plan.VariablesState, run.User, run.StartedAt);
            run.MissingVariables.UnionWith(run.Variables.MissingRequired);
            RequestWriting.WriteSystemText(run, template: null);
            await answers.RunAsync(run, tools.Make(run), sink, ct);
            return StandardAnswer.Of(run);
        }
        catch (Exception thrown) when (!ct.IsCancellationRequested)
        {
            run.StopReason = StopReason.Error;
            return failures.Of(run, ProviderFaults.Of(thrown));
        }
    }

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

    private async Task EndAsync(Run run, RunResult result, string finishReason)
    {
        run.Seconds = time.GetElapsedTime(run.Started).TotalSeconds;
        // Also when the caller has just left: what happened has happened.
        await log.WriteAsync(run, result, finishReason, [], CancellationToken.None);
    }
}
