using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Stoa.Learning.Tutor;
using Stoa.Platform.Data;

namespace Stoa.Learning.Evaluations;

/// <summary>Keeps what the tutor has judged. A client that says otherwise can be told from one that does not.</summary>
internal sealed partial class EvaluationLog(LearningDb db, TimeProvider time, ILogger<EvaluationLog> logger)
{
    /// <summary>An answer is still the one that was judged while no more than this lies between.</summary>
    private static readonly TimeSpan Session = TimeSpan.FromHours(12);

    public Task AddAsync(
        int userId, int taskId, int? questionId, AnswerForm form, string prompt, string? model, JsonObject output, CancellationToken ct)
    {
        var isPassed = form.IsPassed(output);
        return db.Database.ExecuteSqlAsync($"""
            insert into learning.evaluations (user_id, task_id, question_id, flow, prompt, model, is_passed, output, created_at)
            values ({userId}, {taskId}, {questionId}, {form.Name}, {prompt}, {model}, {isPassed}, {output.ToJsonString()}::jsonb,
              {time.GetUtcNow()})
            """, ct);
    }

    /// <summary>The failure is what is to be told; that it could not be noted is only logged.</summary>
    public async Task TryNoteFailureAsync(
        int userId, int taskId, int? questionId, AnswerForm form, string prompt, string? model, string failure)
    {
        try
        {
            await db.Database.ExecuteSqlAsync($"""
                insert into learning.evaluations (user_id, task_id, question_id, flow, prompt, model, failure, created_at)
                values ({userId}, {taskId}, {questionId}, {form.Name}, {prompt}, {model}, {failure}, {time.GetUtcNow()})
                """);
        }
        catch (Exception away) when (Outage.Is(away) || away is DbUpdateException or Npgsql.PostgresException)
        {
            LogNotNoted(failure, away.Message);
        }
    }

    /// <summary>How the latest answer was judged in this session; null when it was not.</summary>
    public async Task<bool?> LatestAsync(int userId, int? taskId, int? questionId, CancellationToken ct)
    {
        var since = time.GetUtcNow() - Session;
        var latest = questionId is { } question
            ? await db.Database.SqlQuery<bool>($"""
                select is_passed as "Value" from learning.evaluations
                where user_id = {userId} and question_id = {question} and is_passed is not null and created_at > {since}
                  order by id desc limit 1
                """).ToListAsync(ct)
            : await db.Database.SqlQuery<bool>($"""
                select is_passed as "Value" from learning.evaluations
                where user_id = {userId} and task_id = {taskId} and question_id is null and is_passed is not null and created_at > {since}
                order by id desc limit 1
                """).ToListAsync(ct);
        return latest is [var passed] ? passed : null;
    }

    [LoggerMessage(LogLevel.Warning, "The failure {Failure} of the tutor could not be noted: {Problem}")]
    private partial void LogNotNoted(string failure, string problem);
}
