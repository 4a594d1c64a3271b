using Microsoft.EntityFrameworkCore;

namespace Stoa.Assistants.Tasks;

internal sealed class UserTaskStore(AssistantsDb db)
{
    /// <summary>His tasks on a platform, in their order, in his language where it has words for them, else in English.</summary>
    public async Task<List<UserTasksApi.UserTask>> ListAsync(string userId, UserTasksApi.Wanted wanted, CancellationToken ct)
    {
        var tasks = await db.Database.SqlQuery<Found>($"""
            select ut.id as user_task_id, t.id as task_id, coalesce(own.name_for_user, en.name_for_user, t.name_for_system) as name,
              coalesce(own.definition_for_user, en.definition_for_user, '') as description, t.icon, t.type, ut.is_enabled,
              u.language_code as language
            from assistants.user_tasks ut
            join assistants.users u on u.id = ut.user_id
            join assistants.tasks t on t.id = ut.task_id
            left join assistants.task_texts own on own.task_id = t.id and own.language_code = left(u.language_code, 2)
            left join assistants.task_texts en on en.task_id = t.id and en.language_code = 'en'
            where ut.user_id = {userId} and ({wanted.Id}::integer is null or ut.id = {wanted.Id}) and {wanted.Platform} = any (t.platforms)
            order by ut.id offset {wanted.Offset} limit {wanted.Most}
            """).ToListAsync(ct);
        var steps = await StepsAsync(
            [.. tasks.Where(task => task.Type == "workflow").Select(task => task.TaskId)], tasks.FirstOrDefault()?.Language, ct);
        return tasks.ConvertAll(task => new UserTasksApi.UserTask(
            task.UserTaskId, task.TaskId, task.Name, task.Description, task.Icon, task.Type, [.. steps[task.TaskId]], task.IsEnabled));
    }

    /// <summary>The steps of these tasks, in their order.</summary>
    public async Task<ILookup<int, UserTasksApi.TaskStep>> StepsAsync(int[] tasks, string? language, CancellationToken ct)
    {
        var steps = tasks.Length == 0 ? [] : await db.Database.SqlQuery<FoundStep>($"""
            select s.task_id, s.id, coalesce(own.name_for_user, en.name_for_user, s.name_for_system) as name,
              coalesce(own.definition_for_user, en.definition_for_user, '') as description
            from assistants.workflow_steps s
            left join assistants.workflow_step_texts own on own.workflow_step_id = s.id and own.language_code = left({language}, 2)
            left join assistants.workflow_step_texts en on en.workflow_step_id = s.id and en.language_code = 'en'
            where s.task_id = any ({tasks}) order by s.task_id, s.rank
            """).ToListAsync(ct);
        return steps.ToLookup(step => step.TaskId, step => new UserTasksApi.TaskStep(step.Id, step.Name, step.Description));
    }

    private sealed record Found(
        int UserTaskId, int TaskId, string Name, string Description, string Icon, string Type, bool IsEnabled, string Language);

    private sealed record FoundStep(int TaskId, int Id, string Name, string Description);
}
