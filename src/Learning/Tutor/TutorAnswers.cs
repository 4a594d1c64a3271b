using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Stoa.Gateway;
using Stoa.Learning.Evaluations;
using Stoa.Learning.Organizations;
using Stoa.Platform.Http;
using Stoa.Platform.Telemetry;

namespace Stoa.Learning.Tutor;

/// <summary>
/// Answers a learner: chooses the model, has the answer streamed, and sees to it that nobody takes half an answer for one. Until the first
/// line a failure has a status and is tried again; after it the connection is broken off, which the client shows as an error.
/// </summary>
internal sealed partial class TutorAnswers(
    IModels models, ModelPlans plans, TutorPrompts prompts, TutorLimits limits, TutorPreparation preparation, EvaluationLog evaluations,
    IOptions<TutorOptions> options, TimeProvider time, ILogger<TutorAnswers> logger)
{
    public const string Purpose = "learning.tutor";

    /// <summary>How the purposes of all calls for schools begin.</summary>
    public const string AnyPurpose = "learning.";
    public const int MaxOutput = 8_192;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(300);

    public async Task AnswerAsync(HttpContext context, int userId, int? questionId, TutorAsk ask, CancellationToken ct)
    {
        await limits.TakeAsync(userId, ct);
        using var span = Start(userId, questionId, ask);
        var prompt = prompts.Find(ask.Prompt, ask.Task.OrgId);
        var attempt = new Attempt(userId, questionId, ask, prompt, context.RequestId(), new(context, ask.Form, time));
        try
        {
            attempt.Ask = await preparation.PrepareAsync(ask, attempt.RequestId, attempt.Count, ct);
            attempt.Model = attempt.Ask.IsSpoken
                ? plans.Find(ModelPlan.Audio, ask.Task.OrganizationId)
                : await preparation.ChooseAsync(attempt.Ask, attempt.RequestId, attempt.Count, ct);
            var whole = await StreamAsync(attempt, ct);
            if (!ask.IsPreview)
            {
                await evaluations.AddAsync(userId, ask.Task.Id, questionId, ask.Form, prompt.Version, attempt.Model, whole, ct);
            }
            await attempt.Lines.WriteAsync(whole);
        }
        catch (Exception thrown) when (!ct.IsCancellationRequested)
        {
            span?.SetStatus(ActivityStatusCode.Error);
            await FailAsync(context, attempt, thrown);
        }
        finally
        {
            limits.Settle(userId, attempt.Tokens);
        }
    }

    /// <summary>The whole answer, all of whose lines but the last have been written.</summary>
    private async Task<JsonObject> StreamAsync(Attempt attempt, CancellationToken ct)
    {
        var question = QuestionOf(attempt);
        for (var repeats = 0; ; repeats++)
        {
            attempt.Lines.Restart();
            var hasBegun = false;
            try
            {
                var reply = await models.AskAsync(
                    question,
                    text =>
                    {
                        hasBegun = true;
                        return attempt.Lines.AddAsync(text);
                    },
                    ct);
                attempt.Count(reply);
                return attempt.Lines.Whole() is { } whole && !reply.IsCut
                    ? whole
                    : throw new Failure(FailureKind.Upstream, "upstream_invalid_response", "The model's answer is not whole");
            }
            // A provider that could not be reached was tried again already; what broke off later was not.
            catch (Failure failure) when (
                hasBegun && !attempt.Lines.HasStarted && repeats < options.Value.Retries
                && failure.Kind is FailureKind.Upstream or FailureKind.Overloaded or FailureKind.Timeout or FailureKind.Unavailable)
            {
                await Task.Delay(FirstPause * (1 << repeats), time, ct);
            }
        }
    }

    private ModelQuestion QuestionOf(Attempt attempt)
    {
        var (ask, model) = (attempt.Ask, attempt.Model!);
        var instructions = ask.InstructionsOf(attempt.Prompt.Text, prompts.Find("ground-rules", ask.Task.OrgId).Text);
        // Models that hear have no mode for schemas, so they are told.
        var isTold = ask.IsSpoken && model.Contains("audio", StringComparison.OrdinalIgnoreCase);
        return new(ask.Task.OrganizationId, model, Purpose, attempt.RequestId)
        {
            Instructions = isTold
            ? $"{instructions}\n\nAnswer with one JSON object of this schema and nothing else:\n{ask.Form.Schema.GetRawText()}"
            : instructions,
            Turns = ask.Turns,
            Schema = isTold ? null : new(ask.Form.Name, ask.Form.Schema),
            MaxOutput = MaxOutput,
            Temperature = 0,
        };
    }

    private async Task FailAsync(HttpContext context, Attempt attempt, Exception thrown)
    {
        var failure = thrown as Failure;
        if (!attempt.Ask.IsPreview)
        {
            await evaluations.TryNoteFailureAsync(
                attempt.UserId, attempt.Ask.Task.Id, attempt.QuestionId, attempt.Ask.Form,
                attempt.Prompt.Version, attempt.Model, failure?.Code ?? "internal_error");
        }
        LogFailed(failure is null ? thrown : null, attempt.Ask.Form.Name, failure?.Code ?? "internal_error", attempt.RequestId);
        if (attempt.Lines.HasStarted)
        {
            context.Abort();
            return;
        }
        throw failure is null ? thrown : AsTold(failure);
    }

    /// <summary>What a provider makes of our request is nothing that the learner did.</summary>
    internal static Failure AsTold(Failure failure) => failure.Kind switch
    {
        _ when failure.Code == ModelBudget.ExceededCode => SchoolBudgets.UsedUp(),
        FailureKind.TooMany or FailureKind.Quota or FailureKind.Unavailable or FailureKind.Overloaded or FailureKind.Internal => failure,
        FailureKind.Timeout => Failure.Unavailable("The model did not answer in time", TimeSpan.FromSeconds(5)),
        _ => new(FailureKind.Upstream, failure.Code, "The model could not answer"),
    };

    private static Activity? Start(int userId, int? questionId, TutorAsk ask)
    {
        var span = Signals.Spans.StartActivity(ask.Form is AssignmentForm ? "assignment_evaluation" : "ai_chat");
        span?.SetTag("user.id", userId);
        span?.SetTag("stoa.learning.flow", ask.Form.Name);
        span?.SetTag("stoa.learning.prompt", ask.Prompt);
        span?.SetTag("stoa.learning.task_id", ask.Task.Id);
        span?.SetTag("stoa.learning.org_id", ask.Task.OrgId);
        span?.SetTag("session.id", ask.Form switch
        {
            AssignmentForm => $"assignment_{ask.Task.Id}_{userId}",
            DoubtForm => $"lm_{ask.Task.Id}_{userId}",
            _ => $"quiz_{ask.Task.Id}_{(ask.IsPreview ? "preview" : questionId)}_{userId}",
        });
        return span;
    }

    [LoggerMessage(LogLevel.Warning, "The tutor's answer ({Flow}) failed: {Code}. {RequestId}")]
    private partial void LogFailed(Exception? thrown, string flow, string code, string requestId);

    private sealed class Attempt(int userId, int? questionId, TutorAsk ask, Prompt prompt, string requestId, AnswerLines lines)
    {
        public int UserId => userId;

        public int? QuestionId => questionId;

        public TutorAsk Ask { get; set; } = ask;

        public Prompt Prompt => prompt;

        public string RequestId => requestId;

        public AnswerLines Lines => lines;

        public string? Model { get; set; }

        public long Tokens { get; private set; }

        public void Count(ModelReply reply) => Tokens += reply.InputTokens + reply.OutputTokens;
    }
}
