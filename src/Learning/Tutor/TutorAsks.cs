using System.Text.Json;
using System.Text.Json.Nodes;
using Stoa.Learning.Chat;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tutor;

/// <summary>Makes of a request what the tutor is asked. Everything that can be refused is refused here, before an answer begins.</summary>
internal sealed class TutorAsks(TutorStore store, TutorTurns turns)
{
    /// <param name="about">What was read of the task, and of the conversation about it.</param>
    /// <param name="isAuthor">May try questions that are not saved, and conversations that nobody had.</param>
    /// <exception cref="Failure">400, 403, 404.</exception>
    public async Task<TutorAsk> OfChatAsync(AiChatRequest request, TutorReading about, bool isAuthor, CancellationToken ct)
    {
        Check(request, isAuthor);
        var task = await store.TaskAsync(about, request, ct);
        await CheckFileAsync(request, isAuthor, ct);
        if (task.Type != request.TaskType)
        {
            throw Refusal.BadRequest($"Task is not a {(request.TaskType == TaskType.Quiz ? "quiz" : "learning material")}");
        }
        return task.Question is { } question
            ? await OfQuestionAsync(request, about, task, question, isAuthor, ct) : OfMaterial(request, task);
    }

    /// <inheritdoc cref="OfChatAsync"/>
    public async Task<TutorAsk> OfAssignmentAsync(AiChatRequest request, TutorReading about, bool isAuthor, CancellationToken ct)
    {
        var task = await store.AssignmentAsync(about, ct);
        await CheckFileAsync(request, isAuthor, ct);
        var assignment = task.Assignment!;
        var sections = TutorAsk.OfAssignment(assignment);
        if (request.ResponseType == ChatResponseType.File)
        {
            await store.RequireNoForeignFileAsync(request.UserId, isAuthor, [Latest(request)], ct);
            // A submission is looked at for itself, whatever was said before.
            return new(new AssignmentForm(assignment.Criteria, assignment.Range, isFile: true), "assignment", task, sections,
                [await turns.HandedInAsync(request.UserResponse, ct)]);
        }
        var isPreview = isAuthor && request.ChatHistory is { Count: > 0 };
        var past = isPreview ? Sent(request.ChatHistory!) : about.History();
        past.Add(Latest(request));
        await store.RequireNoForeignFileAsync(request.UserId, isAuthor, past, ct);
        var judged = isPreview
            ? past.Where(turn => turn.Role == ChatRole.Assistant || turn.ResponseType == ChatResponseType.File)
                .Select(turn => new PastJudgement(turn.Content, turn.Role == ChatRole.User))
            : about.Judged();
        return new(new AssignmentForm(assignment.Criteria, assignment.Range, isFile: false, ScoredIn(judged)), "assignment", task, sections,
            await turns.OfAssignmentAsync(past, ct))
        {
            IsSpoken = request.ResponseType == ChatResponseType.Audio, IsPreview = isPreview,
        };
    }

    private Task CheckFileAsync(AiChatRequest request, bool isAuthor, CancellationToken ct) =>
        isAuthor || request.ResponseType is not (ChatResponseType.File or ChatResponseType.Audio)
            ? Task.CompletedTask
            : store.RequireOwnFileAsync(request.UserId, TutorTurns.FileIn(request.UserResponse).Uuid, ct);

    private static void Check(AiChatRequest request, bool isAuthor)
    {
        switch (request.TaskType)
        {
            case TaskType.Quiz when request is { QuestionId: null, Question: null }:
                throw Refusal.BadRequest("Question ID or question is required for quiz tasks");
            case TaskType.Quiz when request is { Question: not null, ChatHistory: null }:
                throw Refusal.BadRequest("Chat history is required when question is provided");
            case TaskType.Quiz when request.Question is not null && !isAuthor:
                throw Refusal.Forbidden();
            case TaskType.LearningMaterial when request.ChatHistory is null:
                throw Refusal.BadRequest("Chat history is required for learning material tasks");
            case TaskType.LearningMaterial when request.ResponseType == ChatResponseType.Audio:
                throw Refusal.BadRequest("Audio response is not supported for learning material tasks");
            case TaskType.Assignment:
                throw Refusal.BadRequest("Assignments are evaluated at /ai/assignment");
            default:
                break;
        }
    }

    private async Task<TutorAsk> OfQuestionAsync(
        AiChatRequest request, TutorReading about, TutorTask task, TutorQuestion question, bool isAuthor, CancellationToken ct)
    {
        var isPreview = question.Id is null;
        var past = isPreview ? Sent(request.ChatHistory!) : about.History();
        if (!isPreview)
        {
            ExamRule.RequireAttemptLeft(question.ResponseType, question.MaxAttempts, past, request.UserResponse);
        }
        past.Add(Latest(request));
        await store.RequireNoForeignFileAsync(request.UserId, isAuthor, past, ct);
        AnswerForm form = question.Type == QuestionType.Objective ? new ObjectiveForm() : new SubjectiveForm(question.Criteria!);
        return new(form, question.Type == QuestionType.Objective ? "objective" : "subjective", task, TutorAsk.OfQuestion(question),
            await turns.OfQuizAsync(past, ct))
        {
            IsSpoken = request.ResponseType == ChatResponseType.Audio, IsPreview = isPreview,
        };
    }

    private static TutorAsk OfMaterial(AiChatRequest request, TutorTask task) => new(
        new DoubtForm(), "doubt_solving", task, [("material", $"# {task.Title}\n\n{task.Material}")],
        TutorTurns.OfTexts([.. Sent(request.ChatHistory!), Latest(request)]));

    private static PastTurn Latest(AiChatRequest request) => new(ChatRole.User, request.UserResponse, request.ResponseType);

    private static List<PastTurn> Sent(List<SentTurn> history) =>
        history.ConvertAll(turn => new PastTurn(turn.Role ?? ChatRole.User, turn.Content ?? "", turn.ResponseType));

    /// <summary>The key areas that were scored since the latest submission.</summary>
    private static JsonObject ScoredIn(IEnumerable<PastJudgement> judged)
    {
        var rows = new JsonObject();
        foreach (var judgement in judged)
        {
            if (judgement.IsOfFile)
            {
                rows.Clear();
            }
            foreach (var (name, row) in KeyAreasIn(judgement.Output) ?? [])
            {
                rows[name] = row?.DeepClone();
            }
        }
        return rows;
    }

    private static JsonObject? KeyAreasIn(string content)
    {
        try
        {
            return (JsonNode.Parse(
                content, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject)?["key_area_scores"] as JsonObject;
        }
        catch (Exception garbled) when (garbled is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>An exam may be answered so often as its author says.</summary>
internal static class ExamRule
{
    /// <summary>An answer that is stored and not judged yet is the attempt that is judged now: clients store it before or after.</summary>
    /// <exception cref="Failure">400.</exception>
    public static void RequireAttemptLeft(ResponseType responseType, int? maxAttempts, IReadOnlyList<PastTurn> past, string latest)
    {
        var attempts = past.Count(turn => turn.Role == ChatRole.User);
        var isUnderWay = past is [.., { Role: ChatRole.User } last] && last.Content == latest;
        Require(responseType, maxAttempts, isUnderWay ? attempts : attempts + 1);
    }

    /// <param name="attempts">With the one that is about to be made.</param>
    public static void Require(ResponseType responseType, int? maxAttempts, int attempts)
    {
        if (responseType == ResponseType.Exam && attempts > maxAttempts)
        {
            throw Refusal.BadRequest("No attempts are left for this question");
        }
    }
}
