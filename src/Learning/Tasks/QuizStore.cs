using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Progress;
using Stoa.Learning.Wire;
using Stoa.Platform.Http;

namespace Stoa.Learning.Tasks;

/// <summary>Saves quizzes: as a whole, or some of their questions.</summary>
internal sealed class QuizStore(LearningDb db, Standings standings, Blocks blocks, TimeProvider time)
{
    private const int MostQuestions = 1_000;

    /// <summary>The questions become the quiz, in their order; those that are missing are taken away.</summary>
    /// <exception cref="Failure">404, 400: a question or a scorecard that is not this quiz's or not its organization's.</exception>
    public async Task ReplaceAsync(int id, UpdateDraftQuizRequest quiz, CancellationToken ct)
    {
        if (quiz.Questions.Count > MostQuestions)
        {
            throw WireErrors.Value($"at most {MostQuestions} questions", "questions");
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var task = await LockAsync(id, ct);
        var known = await db.Questions.Where(question => question.TaskId == id).ToDictionaryAsync(question => question.Id, ct);
        RequireOwn([.. quiz.Questions.Where(wanted => wanted.Id is not null).Select(wanted => wanted.Id!.Value)], known);
        await RequireScorecardsAsync(task.OrgId, quiz.Questions.Select(wanted => wanted.ScorecardId), ct);
        var before = (task.Status, task.ScheduledPublishAt);
        (task.Title, task.Status, task.ScheduledPublishAt) = (quiz.Title, quiz.Status, quiz.ScheduledPublishAt);
        var now = time.GetUtcNow();
        var kept = new List<(QuestionRow Row, int? ScorecardId)>();
        foreach (var (index, wanted) in quiz.Questions.Index())
        {
            var row = wanted.Id is { } old ? known[old] : Add(id, wanted);
            Fill(row, wanted, index);
            // In the order of the list, which their ids then have too.
            await db.SaveChangesAsync(ct);
            kept.Add((row, wanted.ScorecardId));
        }
        foreach (var gone in known.Values.Except(kept.Select(question => question.Row)))
        {
            gone.DeletedAt = now;
        }
        await db.SaveChangesAsync(ct);
        await LinkAsync(kept, known.Keys, ct);
        // The same questions in other words are as complete as before.
        if (before != (task.Status, task.ScheduledPublishAt) || !known.Values.ToHashSet().SetEquals(kept.Select(question => question.Row)))
        {
            await standings.MarkStaleByTasksAsync([id], ct);
        }
        await transaction.CommitAsync(ct);
    }

    /// <summary>Only these questions, and of them only what the page can change; a scorecard that is not named stays.</summary>
    /// <exception cref="Failure">404, 400.</exception>
    public async Task UpdateAsync(int id, UpdatePublishedQuizRequest quiz, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var task = await LockAsync(id, ct);
        var known = await db.Questions.Where(question => question.TaskId == id).ToDictionaryAsync(question => question.Id, ct);
        RequireOwn([.. quiz.Questions.Select(wanted => wanted.Id)], known);
        await RequireScorecardsAsync(task.OrgId, quiz.Questions.Select(wanted => wanted.ScorecardId), ct);
        var before = task.ScheduledPublishAt;
        (task.Title, task.ScheduledPublishAt) = (quiz.Title, quiz.ScheduledPublishAt);
        foreach (var (index, wanted) in quiz.Questions.Index())
        {
            var row = known[wanted.Id];
            row.Blocks = blocks.Normalize(wanted.Blocks, "questions", index, "blocks").ToJsonString();
            row.Answer = wanted.Answer is { Count: > 0 } answer
                ? blocks.Normalize(answer, "questions", index, "answer").ToJsonString() : null;
            row.Context = blocks.NormalizeContext(wanted.Context, "questions", index, "context")?.ToJsonString();
            row.CodingLanguages = Languages(wanted.CodingLanguages);
            (row.InputType, row.ResponseType, row.Type) =
                (wanted.InputType ?? row.InputType, wanted.ResponseType ?? row.ResponseType, wanted.Type ?? row.Type);
            (row.Title, row.Settings) = (wanted.Title, wanted.Settings?.ToJsonString());
        }
        await db.SaveChangesAsync(ct);
        var linked = quiz.Questions.Where(wanted => wanted.ScorecardId is not null).ToList();
        await LinkAsync(linked.ConvertAll(wanted => (known[wanted.Id], wanted.ScorecardId)), linked.ConvertAll(wanted => wanted.Id), ct);
        if (before != task.ScheduledPublishAt)
        {
            await standings.MarkStaleByTasksAsync([id], ct);
        }
        await transaction.CommitAsync(ct);
    }

    private async Task<TaskRow> LockAsync(int id, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select from learning.tasks where id = {id} for no key update", ct);
        return await db.Tasks.FirstOrDefaultAsync(row => row.Id == id && row.Type == TaskType.Quiz, ct) ?? throw Failure.NotFound("Task");
    }

    private QuestionRow Add(int taskId, CreateQuestionRequest wanted)
    {
        var row = new QuestionRow
        {
            TaskId = taskId, Type = wanted.Type, InputType = wanted.InputType,
            ResponseType = wanted.ResponseType, Title = wanted.Title, Position = 0,
        };
        db.Add(row);
        return row;
    }

    private void Fill(QuestionRow row, CreateQuestionRequest wanted, int position)
    {
        row.Blocks = blocks.Normalize(wanted.Blocks, "questions", position, "blocks").ToJsonString();
        row.Answer = wanted.Answer is { Count: > 0 } answer
            ? blocks.Normalize(answer, "questions", position, "answer").ToJsonString() : null;
        row.Context = blocks.NormalizeContext(wanted.Context, "questions", position, "context")?.ToJsonString();
        row.CodingLanguages = Languages(wanted.CodingLanguages);
        (row.Type, row.InputType, row.ResponseType) = (wanted.Type, wanted.InputType, wanted.ResponseType);
        (row.Title, row.Settings, row.GenerationModel) = (wanted.Title, wanted.Settings?.ToJsonString(), wanted.GenerationModel);
        (row.MaxAttempts, row.IsFeedbackShown, row.Position) = (wanted.MaxAttempts, wanted.IsFeedbackShown, position);
    }

    // An empty list is none, as in the original.
    private static string? Languages(IReadOnlyList<string>? languages) =>
        languages is { Count: > 0 } ? JsonSerializer.Serialize(languages, LearningJson.Default.IReadOnlyListString) : null;

    private static void RequireOwn(List<int> ids, Dictionary<int, QuestionRow> known)
    {
        if (ids.Distinct().Count() != ids.Count || !ids.TrueForAll(known.ContainsKey))
        {
            throw Refusal.BadRequest("One or more questions do not belong to this quiz");
        }
    }

    private async Task RequireScorecardsAsync(int orgId, IEnumerable<int?> ids, CancellationToken ct)
    {
        var wanted = ids.OfType<int>().Distinct().ToList();
        if (await db.Scorecards.CountAsync(scorecard => scorecard.OrgId == orgId && wanted.Contains(scorecard.Id), ct) != wanted.Count)
        {
            throw Refusal.BadRequest("One or more scorecards do not belong to the organization");
        }
    }

    /// <summary>The one scorecard of each question; what is linked stops being a draft.</summary>
    /// <param name="touched">The questions whose other links end.</param>
    private async Task LinkAsync(List<(QuestionRow Row, int? ScorecardId)> questions, IEnumerable<int> touched, CancellationToken ct)
    {
        var linked = questions.FindAll(question => question.ScorecardId is not null);
        var (ids, scorecards) =
            (linked.Select(question => question.Row.Id).ToArray(), linked.Select(question => question.ScorecardId!.Value).ToArray());
        await db.Database.ExecuteSqlAsync($"""
            update learning.question_scorecards link set deleted_at = {time.GetUtcNow()}
            where link.question_id = any ({touched.ToArray()}) and link.deleted_at is null
              and (link.question_id, link.scorecard_id) not in (select * from unnest({ids}, {scorecards}))
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into learning.question_scorecards as link (question_id, scorecard_id) select * from unnest({ids}, {scorecards})
            on conflict (question_id, scorecard_id) do update set deleted_at = null where link.deleted_at is not null
            """, ct);
        await db.Database.ExecuteSqlAsync(
            $"update learning.scorecards set status = 'published' where id = any ({scorecards}) and status = 'draft'", ct);
    }
}
