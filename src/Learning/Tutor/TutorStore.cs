using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Chat;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Learning.Tutor;

/// <summary>Reads what a question to the tutor is about.</summary>
internal sealed class TutorStore(LearningDb db)
{
    private const int MaxTurns = 200;
    private const int MaxLinked = 50;

    /// <summary>A material, or a quiz with its question.</summary>
    /// <exception cref="Failure">404; 400 where the question cannot be judged.</exception>
    public async Task<TutorTask> TaskAsync(AiChatRequest request, CancellationToken ct)
    {
        var row = await RowAsync(request, ct);
        var task = TaskOf(row);
        if (task.Type == TaskType.LearningMaterial)
        {
            return task with { Material = BlockText.Of(row.Material) };
        }
        var question = request.Question is { } draft ? await DraftAsync(draft, task.OrgId, ct) : await SavedAsync(row, task.OrgId, ct);
        return question is { Type: QuestionType.Subjective, Criteria: not { Count: > 0 } }
            ? throw Refusal.BadRequest("Scorecard is required for subjective questions")
            : task with { Question = question };
    }

    /// <exception cref="Failure">404; 400 where the assignment cannot be judged.</exception>
    public async Task<TutorTask> AssignmentAsync(AiChatRequest request, CancellationToken ct)
    {
        var row = await RowAsync(request, ct);
        if (row.TaskType != EnumNames<TaskType>.Write(TaskType.Assignment))
        {
            throw Refusal.BadRequest("Task is not an assignment");
        }
        using var criteria = JsonDocument.Parse(row.EvaluationCriteria ?? "null");
        if (row.AssignmentBlocks is null || criteria.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Refusal.BadRequest("Assignment is missing evaluation criteria");
        }
        if (criteria.RootElement.Part("scorecard_id").ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            throw Refusal.BadRequest("Assignment evaluation criteria is missing scorecard_id");
        }
        var areas = Criterion.Read(row.AssignmentScorecard);
        if (areas.Count == 0)
        {
            throw Refusal.BadRequest("Scorecard not found for assignment evaluation criteria");
        }
        var task = TaskOf(row);
        double Score(string name) => criteria.RootElement.Part(name) is { ValueKind: JsonValueKind.Number } score ? score.GetDouble() : 0;
        return task with
        {
            Assignment = new(
                BlockText.Of(row.AssignmentBlocks), await KnowledgeAsync(row.AssignmentContext, task.OrgId, ct), areas,
                new(Score("min_score"), Score("max_score"), Score("pass_score"))),
        };
    }

    /// <summary>The conversation of a learner about a question, or about a task; the latest turns of it, in their order.</summary>
    public async Task<List<PastTurn>> HistoryAsync(int userId, int taskId, int? questionId, CancellationToken ct)
    {
        var about = questionId is { } question
            ? db.ChatMessages.Where(message => message.UserId == userId && message.QuestionId == question)
            : db.ChatMessages.Where(message => message.UserId == userId && message.TaskId == taskId && message.QuestionId == null);
        var turns = await about.OrderByDescending(message => message.CreatedAt).ThenByDescending(message => message.Id).Take(MaxTurns)
            .Select(message => new { message.Role, message.Content, message.ResponseType }).ToListAsync(ct);
        turns.Reverse();
        return turns.ConvertAll(turn => new PastTurn(turn.Role, turn.Content ?? "", turn.ResponseType));
    }

    /// <summary>What somebody hands in or says must be his own.</summary>
    /// <exception cref="Failure">404.</exception>
    public async Task RequireOwnFileAsync(int userId, string uuid, CancellationToken ct)
    {
        if (!Guid.TryParse(uuid, CultureInfo.InvariantCulture, out var id) || !await db.Files.AnyAsync(file => file.Id == id && file.UserId == userId, ct))
        {
            throw Failure.NotFound("File");
        }
    }

    /// <summary>
    /// A conversation is stored as its client sends it, so it may name anybody's upload: only the learner's own may become part of what is asked.
    /// </summary>
    /// <param name="isAuthor">May also use what came in while nobody was known.</param>
    /// <exception cref="Failure">404.</exception>
    public async Task RequireNoForeignFileAsync(int userId, bool isAuthor, IEnumerable<PastTurn> turns, CancellationToken ct)
    {
        var named = turns.Where(turn => turn is { Role: ChatRole.User, ResponseType: ChatResponseType.File or ChatResponseType.Audio })
            .Select(turn => Guid.TryParse(TutorTurns.FileIn(turn.Content).Uuid, CultureInfo.InvariantCulture, out var id) ? id : default)
            .Distinct().ToArray();
        if (named.Length > 0
            && await db.Files.AnyAsync(file => named.Contains(file.Id) && file.UserId != userId && !(isAuthor && file.UserId == null), ct))
        {
            throw Failure.NotFound("File");
        }
    }

    private async Task<TutorRow> RowAsync(AiChatRequest request, CancellationToken ct) =>
        (await db.Database.SqlQuery<TutorRow>($"""
            select t.id as task_id, t.org_id, o.organization_id, t.type as task_type, t.title, t.blocks::text as material, u.first_name,
              q.id as question_id, q.type as question_type, q.input_type, q.response_type, q.max_attempts, q.blocks::text as question_blocks,
              q.answer::text as answer, q.context::text as question_context, q.coding_language::text as coding_languages, qs.criteria::text as question_scorecard,
              a.blocks::text as assignment_blocks, a.context::text as assignment_context, a.evaluation_criteria::text as evaluation_criteria,
              s.criteria::text as assignment_scorecard
            from learning.tasks t
            join learning.organizations o on o.id = t.org_id
            left join learning.users u on u.id = {request.UserId}
            left join learning.questions q on q.id = {request.QuestionId} and q.task_id = t.id and q.deleted_at is null
            left join lateral (
              select card.criteria from learning.question_scorecards link join learning.scorecards card on card.id = link.scorecard_id and card.deleted_at is null
              where link.question_id = q.id and link.deleted_at is null order by link.id desc limit 1) qs on true
            left join learning.assignments a on a.task_id = t.id and a.deleted_at is null
            left join learning.scorecards s on s.deleted_at is null and s.org_id = t.org_id
              and s.id::text = a.evaluation_criteria ->> 'scorecard_id'
            where t.id = {request.TaskId} and t.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw Failure.NotFound("Task");

    private static TutorTask TaskOf(TutorRow row) => new()
    {
        Id = row.TaskId,
        OrgId = row.OrgId,
        OrganizationId = row.OrganizationId ?? Organization.DefaultId,
        Type = EnumNames<TaskType>.Read(row.TaskType),
        Title = row.Title,
        FirstName = row.FirstName,
    };

    private async Task<TutorQuestion> SavedAsync(TutorRow row, int orgId, CancellationToken ct) => row.QuestionId is null
        ? throw Failure.NotFound("Question")
        : new()
        {
            Id = row.QuestionId,
            Type = EnumNames<QuestionType>.Read(row.QuestionType!),
            InputType = EnumNames<InputType>.Read(row.InputType!),
            ResponseType = EnumNames<ResponseType>.Read(row.ResponseType!),
            MaxAttempts = row.MaxAttempts,
            CodingLanguages = row.CodingLanguages,
            Text = BlockText.Of(row.QuestionBlocks),
            Solution = BlockText.Of(row.Answer),
            KnowledgeBase = await KnowledgeAsync(row.QuestionContext, orgId, ct),
            Criteria = row.QuestionScorecard is null ? null : Criterion.Read(row.QuestionScorecard),
        };

    private async Task<TutorQuestion> DraftAsync(DraftQuestion draft, int orgId, CancellationToken ct)
    {
        var criteria = draft.ScorecardId is { } id
            ? await db.Scorecards.Where(card => card.Id == id && card.OrgId == orgId).Select(card => card.Criteria).FirstOrDefaultAsync(ct)
            : null;
        return new()
        {
            Type = draft.Type,
            InputType = draft.InputType ?? InputType.Text,
            ResponseType = draft.ResponseType ?? ResponseType.Chat,
            CodingLanguages = draft.CodingLanguages is null ? null : string.Join(", ", draft.CodingLanguages),
            Text = BlockText.Of(draft.Blocks.ToJsonString()),
            Solution = BlockText.Of(draft.Answer?.ToJsonString()),
            KnowledgeBase = await KnowledgeAsync(draft.Context?.ToJsonString(), orgId, ct),
            Criteria = criteria is null ? null : Criterion.Read(criteria),
        };
    }

    /// <summary>The blocks of a context, and the materials that it names.</summary>
    private async Task<string> KnowledgeAsync(string? context, int orgId, CancellationToken ct)
    {
        if (context is null)
        {
            return "";
        }
        using var document = JsonDocument.Parse(context);
        var own = BlockText.Of(document.RootElement.Part("blocks"));
        var linked = IdsIn(document.RootElement.Part("linkedMaterialIds"));
        if (linked.Count == 0)
        {
            return own;
        }
        var materials = await db.Tasks.Where(task => linked.Contains(task.Id) && task.OrgId == orgId && task.Type == TaskType.LearningMaterial)
            .OrderBy(task => task.Id).Select(task => new { task.Title, task.Blocks }).ToListAsync(ct);
        return string.Join("\n\n", materials.Select(material => $"# {material.Title}\n{BlockText.Of(material.Blocks)}").Prepend(own).Where(text => text.Length > 0));
    }

    // The front end writes them as numbers or as texts.
    private static List<int> IdsIn(JsonElement ids) => ids.ValueKind != JsonValueKind.Array ? [] :
    [
        .. ids.EnumerateArray().Take(MaxLinked)
            .Select(id => int.TryParse(id.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0),
    ];

    private sealed record TutorRow(
        int TaskId, int OrgId, Guid? OrganizationId, string TaskType, string Title, string? Material, string? FirstName,
        int? QuestionId, string? QuestionType, string? InputType, string? ResponseType, int? MaxAttempts, string? QuestionBlocks,
        string? Answer, string? QuestionContext, string? CodingLanguages, string? QuestionScorecard,
        string? AssignmentBlocks, string? AssignmentContext, string? EvaluationCriteria, string? AssignmentScorecard);
}
