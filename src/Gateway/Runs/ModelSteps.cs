using Microsoft.Extensions.Options;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Providers;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Runs;

/// <summary>One question of a run to its model: asked, passed on piece by piece where somebody listens, and metered.</summary>
internal sealed class ModelSteps(ModelCalls models, RunMeter meter, IOptions<GatewayOptions> options, Drain drain, TimeProvider time)
{
    public Task<ChatAnswer> AskAsync(Run run, ChatRequest request, IRunSink sink, CancellationToken ct)
    {
        var ask = new ModelAsk(run.Choice.Target, request with { Stream = sink.IsStream })
        {
            ApiKey = run.Choice.ApiKey, Endpoint = request.Source == Dialect.OpenAiResponses ? request.Source
                // OpenAI hears in chat completions only.
                : request.HasRecordings ? null : run.Choice.Endpoint,
        };
        return MeterAsync(run, ask, async call =>
        {
            var answer = await AskAsync(run, ask, call, sink, ct);
            return (answer, answer.Usage);
        }, ct);
    }

    /// <summary>The same for a question that is not answered in words.</summary>
    public Task<T> MeterAsync<T>(Run run, ModelAsk ask, Func<Task<(T Answer, TokenUsage Usage)>> answer, CancellationToken ct) =>
        MeterAsync(run, ask, _ => answer(), ct);

    private async Task<T> MeterAsync<T>(
        Run run, ModelAsk ask, Func<MeteredCall, Task<(T Answer, TokenUsage Usage)>> answer, CancellationToken ct)
    {
        var call = await meter.BeginAsync(run, ask, ct);
        await using var reservation = call.Reservation;
        try
        {
            var (answered, usage) = await answer(call);
            meter.Succeeded(run, call, usage);
            return answered;
        }
        catch (Exception thrown)
        {
            if (ct.IsCancellationRequested)
            {
                meter.Cancelled(run, call);
                throw;
            }
            var failure = drain.LastCall.IsCancellationRequested ? ProviderFaults.ShuttingDown() : ProviderFaults.Of(thrown);
            meter.Failed(run, call, failure);
            throw failure.Kind == FailureKind.Internal ? thrown : failure;
        }
    }

    private async Task<ChatAnswer> AskAsync(Run run, ModelAsk ask, MeteredCall call, IRunSink sink, CancellationToken ct)
    {
        try
        {
            return await AskOnceAsync(run, ask, call, sink, ct);
        }
        catch (Failure failure) when (ModelAsk.IsWorthRepeating(failure) && call.Passed == 0)
        {
            return await AskOnceAsync(run, ask, call, sink, ct);
        }
    }

    private async Task<ChatAnswer> AskOnceAsync(Run run, ModelAsk ask, MeteredCall call, IRunSink sink, CancellationToken ct)
    {
        using var answer = await models.AskAsync(ask, ct);
        using var lastCall = drain.LastCall.UnsafeRegister(static open => ((ModelAnswer)open!).Exchange?.Cancel(), answer);
        call.FirstByte = time.GetTimestamp();
        if (!ask.Request.Stream)
        {
            return await answer.ReadAllAsync();
        }
        var patience = TimeSpan.FromMilliseconds(options.Value.Timeouts.IdleMs);
        var assembly = new AnswerAssembly();
        var steps = new List<ChatEvent>();
        answer.Exchange?.ExtendDeadline(patience);
        while (await answer.NextAsync(steps))
        {
            if (steps.Count == 0)
            {
                continue;
            }
            // A slow listener is no silent provider.
            answer.Exchange?.ExtendDeadline(Timeout.InfiniteTimeSpan);
            foreach (var step in steps)
            {
                assembly.Add(step);
                call.Passed++;
                call.Text = assembly;
                if (StepOf(step) is { } told)
                {
                    run.HasTold = true;
                    await sink.TellAsync(told, ct);
                }
            }
            steps.Clear();
            answer.Exchange?.ExtendDeadline(patience);
        }
        return assembly.ToAnswer(new(call.EstimatedInput, TokenEstimate.Of(assembly.Parts), Estimated: true));
    }

    private static RunStep? StepOf(ChatEvent step) => step switch
    {
        ChatEvent.TextDelta delta => new RunStep.Delta(delta.Text),
        ChatEvent.RefusalDelta delta => new RunStep.Delta(delta.Text),
        ChatEvent.ThinkDelta delta => new RunStep.Reasoning(delta.Text),
        _ => null,
    };
}
