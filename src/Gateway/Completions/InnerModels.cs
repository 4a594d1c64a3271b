using Microsoft.Extensions.Options;
using Stoa.Gateway.Chat;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Providers;
using Stoa.Gateway.Runs;
using Stoa.Platform.Http;

namespace Stoa.Gateway.Completions;

/// <summary>Asks models for other modules.</summary>
internal sealed class InnerModels(
    ModuleCalls calls, ModelCalls models, CallMeter meter, ProviderCatalog catalog, IOptions<GatewayOptions> options, Drain drain,
    TimeProvider time) : IModels
{
    private const int UsualAnswer = 1_024;

    private static readonly string[] ReasoningNames = ["o1", "o3", "o4", "gpt-5"];

    public string? Pick(Guid organizationId, params IReadOnlyList<string> wanted) =>
        wanted.FirstOrDefault(name => calls.Knows(organizationId, name))
        ?? catalog.Providers.Where(provider => provider is { Client: not null, Kind.OnlyListens: false })
            .SelectMany(ServiceRegistry.ModelsOf, (provider, model) => $"{provider.Name}/{model}").FirstOrDefault()
        ?? catalog.Models.FirstOrDefault()?.ListedName;

    public Task<ModelReply> AskAsync(ModelQuestion question, Func<string, ValueTask>? onText, CancellationToken ct)
    {
        var request = RequestOf(question, isStream: onText is not null);
        var wanted = new ModuleCall(
            question.OrganizationId, question.Model, question.Purpose, "chat",
            question.RequestId, request.Stream, TokenEstimate.Of(request),
            question.MaxOutput ?? UsualAnswer);
        return calls.RunAsync(wanted, call => AskAsync(call, request, onText, ct), ct);
    }

    private async Task<ModelReply> AskAsync(GatewayCall call, ChatRequest request, Func<string, ValueTask>? onText, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(options.Value.Timeouts.TotalMs), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        var ask = new ModelAsk(call.Target, TakesTemperature(call.Target.Model) ? request : request with { Sampling = Sampling.Default })
        {
            Call = call,
        };
        ModelAnswer answer;
        try
        {
            answer = await models.AskAsync(ask, either.Token);
        }
        finally
        {
            call.Attempts = ask.Attempts;
        }
        using (answer)
        using (drain.LastCall.UnsafeRegister(static open => ((ModelAnswer)open!).Exchange?.Cancel(), answer))
        {
            call.FirstByte = time.GetTimestamp();
            var (whole, finish) = onText is null ? Whole(await answer.ReadAllAsync()) : await ListenAsync(call, answer, onText);
            call.Usage = whole.Usage;
            meter.Succeeded(call);
            return new(
                whole.Text, finish is not (FinishReason.Stop or FinishReason.StopSequence),
                call.Target.FullName, whole.Usage.Input, whole.Usage.Output, call.Cost);
        }
    }

    private static (ChatAnswer Answer, FinishReason? Finish) Whole(ChatAnswer answer) => (answer, answer.FinishReason);

    private async Task<(ChatAnswer Answer, FinishReason? Finish)> ListenAsync(
        GatewayCall call, ModelAnswer answer, Func<string, ValueTask> onText)
    {
        var patience = TimeSpan.FromMilliseconds(options.Value.Timeouts.IdleMs);
        var assembly = new AnswerAssembly();
        var steps = new List<ChatEvent>();
        answer.Exchange?.ExtendDeadline(patience);
        while (await answer.NextAsync(steps))
        {
            // A slow listener is no silent provider.
            answer.Exchange?.ExtendDeadline(Timeout.InfiniteTimeSpan);
            foreach (var step in steps)
            {
                assembly.Add(step);
                call.Usage = assembly.Usage;
                if (step is ChatEvent.TextDelta delta)
                {
                    call.AnswerEvents++;
                    call.AnswerBytes += delta.Text.Length;
                    await onText(delta.Text);
                }
            }
            steps.Clear();
            answer.Exchange?.ExtendDeadline(patience);
        }
        return (assembly.ToAnswer(new(call.EstimatedInput, TokenEstimate.Of(assembly.Parts), Estimated: true)), assembly.FinishReason);
    }

    private static bool TakesTemperature(string model) =>
        !Array.Exists(ReasoningNames, name => model[(model.LastIndexOf('/') + 1)..].StartsWith(name, StringComparison.OrdinalIgnoreCase));

    private static ChatRequest RequestOf(ModelQuestion question, bool isStream) => new()
    {
        Model = question.Model,
        Source = Dialect.OpenAi,
        System = question.Instructions.Length == 0 ? [] : [new(question.Instructions)],
        Turns = [.. question.Turns.Select(turn => new Turn(
            turn.Speaker == ModelSpeaker.Person ? TurnRole.User : TurnRole.Assistant, [.. turn.Parts.Select(part => part.Part)]))],
        Format = question.Schema is { } schema ? new(schema.Schema, schema.Name, Strict: true) : null,
        MaxOutput = question.MaxOutput,
        Sampling = new(question.Temperature),
        Stream = isStream,
        IncludeUsage = isStream,
    };
}
