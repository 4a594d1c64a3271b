using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Learning.Chat;
using Stoa.Learning.Tasks;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tutor;

/// <summary>Reads what a question to the tutor is about.</summary>
internal sealed class TutorStore(LearningDb db)
{
    private const int MaxLinked = 50;

    // $1: the task. $2: the learner. $3: the question, or 0.
    private const string About = """
        select t.id, t.org_id, o.organization_id, t.type, t.title, t.blocks::text, u.first_name,
          q.id, q.type, q.input_type, q.response_type, q.max_attempts, q.blocks::text, q.answer::text, q.context::text,
            q.coding_language::text,
          qs.criteria::text, a.blocks::text, a.context::text, a.evaluation_criteria::text, s.criteria::text
        from learning.tasks t
        join learning.organizations o on o.id = t.org_id
        left join learning.users u on u.id = $2
        left join learning.questions q on q.id = $3 and q.task_id = t.id and q.deleted_at is null
        left join lateral (
          select card.criteria from learning.question_scorecards link
          join learning.scorecards card on card.id = link.scorecard_id and card.deleted_at is null
          where link.question_id = q.id and link.deleted_at is null order by link.id desc limit 1) qs on true
        left join learning.assignments a on a.task_id = t.id and a.deleted_at is null
        left join learning.scorecards s on s.deleted_at is null and s.org_id = t.org_id and s.id = case
          when a.evaluation_criteria ->> 'scorecard_id' ~ '^[0-9]{1,18}$' then (a.evaluation_criteria ->> 'scorecard_id')::bigint end
        where t.id = $1 and t.deleted_at is null
        """;

    // The latest turns of a conversation, the last one first. $1: the learner. $2: what it is about.
    private const string History =
        "select role, content, response_type from learning.chat_history where deleted_at is null and user_id = $1 and ";
    private const string Latest = " order by created_at desc, id desc limit 200";

    // What was judged of an assignment, and what people have changed about it, the last one first. A conversation is stored as its client
    // sends it, so what it says of scores is nobody's word. $1: the learner. $2: the task.
    private const string Judged = """
        select text, is_of_file from (
          select created_at, id, output::text as text, output ? 'assignment_score' as is_of_file from learning.evaluations
          where user_id = $1 and task_id = $2 and question_id is null and output is not null
          union all
          select g.created_at, g.id, g.content_after, false
          from learning.chat_history m join learning.grade_changes g on g.message_id = m.id
          where m.user_id = $1 and m.task_id = $2 and m.question_id is null and m.deleted_at is null) judged
        order by created_at desc, id desc limit 200
        """;

    /// <summary>What a question to the tutor is about, asked along with other things.</summary>
    public static TutorReading ReadWith(RoundTrip trip, AiChatRequest request) => new(
        trip.Ask(About, TutorRow.At, request.TaskId, request.UserId, request.QuestionId ?? 0),
        request switch
        {
            { TaskType: TaskType.Quiz, Question: null, QuestionId: { } question } =>
                trip.Ask($"{History}question_id = $2{Latest}", TurnAt, request.UserId, question),
            { TaskType: TaskType.Assignment, ResponseType: not ChatResponseType.File } =>
                trip.Ask($"{History}task_id = $2 and question_id is null{Latest}", TurnAt, request.UserId, request.TaskId),
            _ => [],
        },
        request is { TaskType: TaskType.Assignment, ResponseType: not ChatResponseType.File }
            ? trip.Ask(Judged, static row => new PastJudgement(row.GetString(0), row.GetBoolean(1)), request.UserId, request.TaskId)
            : []);

    /// <summary>A material, or a quiz with its question.</summary>
    /// <exception cref="Failure">404; 400 where the question cannot be judged.</exception>
    public async Task<TutorTask> TaskAsync(TutorReading about, AiChatRequest request, CancellationToken ct)
    {
        var row = about.Row;
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
    public async Task<TutorTask> AssignmentAsync(TutorReading about, CancellationToken ct)
    {
        var row = about.Row;
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

    /// <summary>What somebody hands in or says must be his own.</summary>
    /// <exception cref="Failure">404.</exception>
    public async Task RequireOwnFileAsync(int userId, string uuid, CancellationToken ct)
    {
        if (!Guid.TryParse(uuid, CultureInfo.InvariantCulture, out var id)
            || !await db.Files.AnyAsync(file => file.Id == id && file.UserId == userId, ct))
        {
            throw Failure.NotFound("File");
        }
    }

    /// <summary>
    /// A conversation is stored as its client sends it, so it may name anybody's upload: only the learner's own may become part of what is
    /// asked.
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

    private static TutorTask TaskOf(TutorRow row) => new()
    {
        Id = row.TaskId,
        OrgId = row.OrgId,
        OrganizationId = row.OrganizationId,
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
        var materials = await db.Tasks.Where(task => linked.Contains(task.Id)
            && task.OrgId == orgId && task.Type == TaskType.LearningMaterial)
            .OrderBy(task => task.Id).Select(task => new { task.Title, task.Blocks }).ToListAsync(ct);
        return string.Join("\n\n", materials.Select(
            material => $"# {material.Title}\n{BlockText.Of(material.Blocks)}").Prepend(own).Where(text => text.Length > 0));
    }

    // The front end writes them as numbers or as texts.
    private static List<int> IdsIn(JsonElement ids) => ids.ValueKind != JsonValueKind.Array ? [] :
    [
        .. ids.EnumerateArray().Take(MaxLinked)
            .Select(id => int.TryParse(id.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0),
    ];

    private static PastTurn TurnAt(NpgsqlDataReader row) => new(
        EnumNames<ChatRole>.Read(row.GetString(0)), row.StringOrNull(1) ?? "",
        row.StringOrNull(2) is { } type ? EnumNames<ChatResponseType>.Read(type) : null);
}
