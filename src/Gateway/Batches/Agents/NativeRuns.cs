using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway.Batches.Native;
using Stoa.Gateway.Budgets;
using Stoa.Gateway.Bytes;
using Stoa.Gateway.Completions;
using Stoa.Gateway.Dialects;
using Stoa.Gateway.Runs;
using Stoa.Gateway.Runs.Answers;
using Stoa.Gateway.Runs.Requests;
using Stoa.Gateway.Runs.Safety;
using Stoa.Gateway.RunTools;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Batches.Agents;

/// <summary>
/// Runs by the batch API of their model's provider: what is asked is written as a run would ask it, and the answer becomes the run's. Only
/// for agents whose runs are one question: who has tools, pre-tools or guardrails is run here, and so is who has a budget, which holds
/// exactly.
/// </summary>
internal sealed partial class NativeRuns(
    BatchLines lines, RunPlans plans, ToolMaking tools, BudgetGate budgets,
    RunMeter meter, AnswerRepair repair, KeptAnswers answers, RunLog log,
    IEnumerable<IRunFollower> followers, RemoteMedia media, IOptions<GatewayOptions> options, TimeProvider time, ILogger<NativeRuns> logger)
{
    /// <summary>Larger batches are run here: they would have to be whole in memory.</summary>
    private const long MaxBytes = 64L << 20;

    private const int PageLines = 500;

    /// <summary>The model as <c>provider/model</c> and the provider's id of the batch; null when it is to be run here.</summary>
    public async Task<(string Model, string Id)?> BeginAsync(Batch batch, AgentBatch whole, CancellationToken ct)
    {
        if (!options.Value.NativeBatches || budgets.Concerns(batch.OrganizationId))
        {
            return null;
        }
        try
        {
            var first = await OpenAsync(whole, (await lines.OpenAsync(batch.Id, 0, 1, ct))[0], ct);
            if (ApiOf(first.Choice) is not { } api || !await IsOneQuestionAsync(first, ct)
                || await WriteAsync(batch, whole, ct) is not { } written)
            {
                return null;
            }
            var target = first.Choice.Target;
            return (target.FullName, await api.CreateAsync(ClientOf(first.Choice), target.Model, InnerCalls.Chat, written, ct));
        }
        catch (Failure failure)
        {
            // Whatever is wrong, each run will say so itself.
            LogNotTaken(batch.Id, failure.Code);
            return null;
        }
    }

    public async Task<NativeState> StateAsync(Batch batch, AgentBatch whole, CancellationToken ct) =>
        await FindAsync(whole, ct) is { } choice
            ? await ApiOf(choice)!.ReadAsync(ClientOf(choice), batch.ProviderBatchId!, ct)
            : NativeState.Of(NativeProgress.Failed);

    public async Task CancelAsync(Batch batch, AgentBatch whole, CancellationToken ct)
    {
        if (await FindAsync(whole, ct) is { } choice)
        {
            await ApiOf(choice)!.CancelAsync(ClientOf(choice), batch.ProviderBatchId!, ct);
        }
    }

    public async Task CollectAsync(Batch batch, AgentBatch whole, NativeState state, CancellationToken ct)
    {
        if (await FindAsync(whole, ct) is not { } choice)
        {
            return;
        }
        await foreach (var result in ApiOf(choice)!.ResultsAsync(ClientOf(choice), batch.ProviderBatchId!, state, ct))
        {
            if (result.Status is >= 200 and < 300 && NativeLine.NumberOf(result.Id) is { } number
                && await lines.FindOpenAsync(batch.Id, number, ct) is { } line
                && await ReadAsync(batch, whole, line, result, ct) is { } answer)
            {
                await lines.AnswerAsync(batch.Id, number, answer, ct);
            }
        }
    }

    /// <summary>Null when the agent can no longer run as it was to.</summary>
    private async Task<ModelChoice?> FindAsync(AgentBatch whole, CancellationToken ct)
    {
        try
        {
            var choice = (await plans.FindAsync(whole.Run, new(whole.Run.Body), ct)).Choice;
            return ApiOf(choice) is null ? null : choice;
        }
        catch (Failure failure) when (failure.Kind == FailureKind.Invalid)
        {
            return null;
        }
    }

    private async Task<Run> OpenAsync(AgentBatch whole, BatchLine line, CancellationToken ct)
    {
        var request = whole.RunOf(line);
        var input = new RunInput(request.Body);
        input.Check();
        var now = time.GetUtcNow();
        var run = new Run(request, input, await plans.FindAsync(request, input, ct), Guid.CreateVersion7(now), time.GetTimestamp(), now);
        run.Variables = new(request.Body.Object("variables"), run.Plan.VariablesState, run.User, now);
        run.MissingVariables.UnionWith(run.Variables.MissingRequired);
        RequestWriting.WriteSystemText(run, await plans.WrapperAsync(run, ct));
        return run;
    }

    private async Task<bool> IsOneQuestionAsync(Run run, CancellationToken ct)
    {
        if (!AgentRunner.Runs(run.Plan.Type) || Guardrails.RulesOf(run) is not null || run.Plan.Agent?.PreTools.GetArrayLength() > 0)
        {
            return false;
        }
        await using var available = await tools.MakeAsync(run, ct);
        return available.Definitions.Count == 0;
    }

    /// <summary>Null when they are too large.</summary>
    private async Task<List<NativeLine>?> WriteAsync(Batch batch, AgentBatch whole, CancellationToken ct)
    {
        var (written, bytes, number) = (new List<NativeLine>(batch.Total), 0L, 0);
        while (await lines.OpenAsync(batch.Id, number, PageLines, ct) is { Count: > 0 } page)
        {
            foreach (var line in page)
            {
                var body = await WriteAsync(await OpenAsync(whole, line, ct), ct);
                bytes += body.Length;
                if (bytes > MaxBytes)
                {
                    return null;
                }
                written.Add(NativeLine.Of(line.Number, body));
            }
            number = page[^1].Number;
        }
        return written;
    }

    private async Task<ReadOnlyMemory<byte>> WriteAsync(Run run, CancellationToken ct)
    {
        var (request, dialect) = (RequestWriting.For(run, ToolSet.Empty), DialectOf(run.Choice));
        request = dialect.TakesAddresses && !request.HasRecordings ? request : await media.InlineAsync(request, ct);
        using var output = new PooledBytes(4_096);
        dialect.WriteRequest(request, TargetOf(run.Choice), output);
        return output.Span.ToArray();
    }

    /// <summary>Null when nobody can read it.</summary>
    private async Task<InnerAnswer?> ReadAsync(Batch batch, AgentBatch whole, BatchLine line, NativeResult result, CancellationToken ct)
    {
        if (await answers.FindAsync(batch.OrganizationId, line.CustomId, ct) is { } kept)
        {
            return AgentItem.Answered(batch, line, kept);
        }
        try
        {
            var run = await OpenAsync(whole, line, ct);
            var request = RequestWriting.For(run, ToolSet.Empty);
            var answer = DialectOf(run.Choice).ReadAnswer(result.Body, request, TargetOf(run.Choice));
            AnswerLoop.Keep(run, answer, calls: []);
            await repair.RunAsync(run, mayAsk: false, ct);
            meter.Received(run, answer.Usage);
            var ended = StandardAnswer.Of(run);
            (run.Seconds, run.LoggedAt) = (time.GetElapsedTime(run.Started).TotalSeconds, time.GetUtcNow());
            await log.WriteAsync(run, ended, nextMessageId: null, [.. followers.SelectMany(follower => follower.Follow(run, ended))]);
            return AgentItem.Of(batch, line, ended);
        }
        catch (Failure failure)
        {
            LogNotRead(batch.Id, line.Number, failure.Code);
            return null;
        }
    }

    private static IProviderBatchApi? ApiOf(ModelChoice choice) => IProviderBatchApi.Of(choice.Target.Provider, InnerCalls.Chat);

    private static BatchClient ClientOf(ModelChoice choice) => new(choice.Target.Provider.Client!, choice.ApiKey);

    private static IProviderDialect DialectOf(ModelChoice choice) => ModelCalls.DialectOf(choice.Target.Provider.Kind.Dialect!.Value);

    private DialectTarget TargetOf(ModelChoice choice) => new(choice.Model)
    {
        Version = options.Value.AnthropicVersion, Traits = choice.Target.Provider.Kind.Traits,
    };

    [LoggerMessage(LogLevel.Information, "Batch {Batch} is run here: its provider did not take it ({Code})")]
    private partial void LogNotTaken(string batch, string code);

    [LoggerMessage(
        LogLevel.Warning, "What the provider answered to line {Line} of batch {Batch} cannot be read ({Code}): the line is run here")]
    private partial void LogNotRead(string batch, int line, string code);
}
