using Microsoft.Extensions.Options;
using Stoa.Assistants.Engines;
using Stoa.Gateway;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Cortexes;

/// <param name="OrganizationId">Of the user for whom is thought: his model calls are metered there.</param>
/// <param name="Process">The last word of the purpose that usage is listed under: <c>extract_todos</c>.</param>
/// <param name="Instructions">Ours alone (<see cref="CortexPrompts"/>); whatever others wrote is in the material.</param>
/// <param name="Material">By <see cref="Cortexes.Material"/>.</param>
internal sealed record MindQuestion(Guid OrganizationId, string Process, string Instructions, string Material)
{
    public int MaxOutput { get; init; } = 500;

    public double Temperature { get; init; }

    /// <summary>The run has asked before, and what it was told would be lost if it had to wait for its turn at the model.</summary>
    public bool GoesOn { get; init; }

    /// <summary>Shown beside the material, and material like it.</summary>
    public IReadOnlyList<ModelPart> Images { get; init; } = [];
}

/// <summary>Asks a model, and again with what was wrong until the answer can be used.</summary>
internal sealed class Mind(IModels models, EngineLimits limits, IOptions<AssistantsOptions> options)
{
    /// <summary>In one attempt of a job.</summary>
    public const int MostCalls = 4;

    // Told back to the model; more of an answer than this helps nobody.
    private const int LongestEcho = 8_000;

    /// <exception cref="Failure">The model did not answer, or in no answer of <see cref="MostCalls"/> what was asked for.</exception>
    public Task<T> AskAsync<T>(MindQuestion question, AnswerForm<T> form, JobContext context, CancellationToken ct) =>
        AskAsync(question, form, context.JobId.ToString(), context, ct);

    /// <summary>For somebody who waits for the answer.</summary>
    /// <inheritdoc cref="AskAsync{T}(MindQuestion, AnswerForm{T}, JobContext, CancellationToken)"/>
    public Task<T> AskAsync<T>(MindQuestion question, AnswerForm<T> form, string requestId, CancellationToken ct) =>
        AskAsync(question, form, requestId, context: null, ct);

    private async Task<T> AskAsync<T>(
        MindQuestion question, AnswerForm<T> form, string requestId, JobContext? context, CancellationToken ct)
    {
        var model = models.Pick(question.OrganizationId, options.Value.Models)
            ?? throw Failure.Unavailable("No model can be asked", TimeSpan.FromMinutes(1));
        List<ModelTurn> turns = [new(ModelSpeaker.Person, [ModelPart.Text(question.Material), .. question.Images])];
        for (var call = 1; ; call++)
        {
            var reply = await limits.AskAsync(model, context, question.GoesOn || call > 1, () => models.AskAsync(
                new(question.OrganizationId, model, $"assistants.{question.Process}", requestId)
                {
                    Instructions = question.Instructions,
                    Turns = turns,
                    Schema = form.Schema,
                    MaxOutput = question.MaxOutput,
                    Temperature = question.Temperature,
                },
                onText: null, ct), ct);
            context?.Spent(reply.InputTokens, reply.OutputTokens, reply.Cost);
            try
            {
                return form.Read(reply.Text);
            }
            catch (UnusableAnswerException unusable)
            {
                var problem = reply.IsCut ? "it broke off before its end; be shorter" : unusable.Message;
                if (call == MostCalls)
                {
                    // Its words are the user's affairs: they stay out of logs and errors.
                    throw new Failure(FailureKind.Upstream, "unusable_answer", $"The model's answer cannot be used: {problem}");
                }
                turns =
                [
                    turns[0],
                    new(ModelSpeaker.Model, ModelPart.Text(Echo(reply.Text))),
                    new(ModelSpeaker.Person, ModelPart.Text(
                        $"This answer cannot be used: {problem}. Answer again, completely, in the form that was asked for.")),
                ];
            }
        }
    }

    // Providers refuse a turn without words.
    private static string Echo(string text) =>
        string.IsNullOrWhiteSpace(text) ? "(nothing)" : text.Length <= LongestEcho ? text : text[..LongestEcho];
}
