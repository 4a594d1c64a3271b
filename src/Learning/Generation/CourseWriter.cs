using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Learning.Courses;
using Stoa.Learning.Progress;
using Stoa.Learning.Tasks;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;

namespace Stoa.Learning.Generation;

/// <summary>
/// Puts what a model has thought of into the course. Each step is one transaction that only the run which owns the job can commit.
/// </summary>
internal sealed class CourseWriter(LearningDb db, Standings standings)
{
    /// <exception cref="JobFailure">The course, or the wish for it, is gone.</exception>
    public async Task<CourseInMaking> OpenAsync(CourseGenerationJob generation, JobContext context, CancellationToken ct)
    {
        var course = (await db.Database.SqlQuery<CourseOwner>($"""
            select c.org_id, o.organization_id from learning.courses c join learning.organizations o on o.id = c.org_id
            where c.id = {generation.CourseId} and c.deleted_at is null
            """).ToListAsync(ct)).FirstOrDefault() ?? throw JobFailure.Discard("The course was deleted");
        var made = await db.Database.SqlQuery<MadeItem>($"""
            select i.place, coalesce(i.task_id, i.milestone_id) as id, coalesce(t.title, m.name) as name, coalesce(t.type, '') as type
            from learning.generated_items i
            left join learning.tasks t on t.id = i.task_id left join learning.milestones m on m.id = i.milestone_id
            where i.job_uuid = {generation.Uuid}
            """).ToListAsync(ct);
        return new(db, standings, generation, context, course.OrgId, course.OrganizationId ?? Organization.DefaultId, made);
    }

    public async Task FailStructureAsync(CourseGenerationJob generation, string code, JobContext context, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await context.FenceAsync(db, ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.course_generation_jobs
            set status = 'failed', job_details = jsonb_set(job_details, array['error'], to_jsonb({code})), updated_at = now()
            where uuid = {generation.Uuid} and status = 'started'
            """, ct);
        await GenerationEvents.TellAsync(
            db, generation.CourseId, new() { ["event"] = "course_structure_failed", ["job_id"] = generation.Uuid.ToString() }, ct);
        await transaction.CommitAsync(ct);
    }

    private sealed record CourseOwner(int OrgId, Guid? OrganizationId);
}

internal sealed record MadeItem(string Place, int Id, string Name, string Type);

/// <summary>A course while its structure comes.</summary>
internal sealed class CourseInMaking
{
    private static readonly string[] Colors =
    [
        "#2d3748", "#433c4c", "#4a5568", "#312e81", "#1e3a8a", "#3730a3", "#4c1d95", "#6b21a8", "#831843", "#9d174d", "#7f1d1d", "#7c2d12",
    ];

    private readonly LearningDb db;
    private readonly Standings standings;
    private readonly CourseGenerationJob generation;
    private readonly JobContext context;
    private readonly Dictionary<string, MadeItem> made;

    public CourseInMaking(
        LearningDb db, Standings standings, CourseGenerationJob generation,
        JobContext context, int orgId, Guid organizationId, IEnumerable<MadeItem> made)
    {
        (this.db, this.standings, this.generation, this.context) = (db, standings, generation, context);
        (OrgId, OrganizationId) = (orgId, organizationId);
        this.made = made.ToDictionary(item => item.Place, StringComparer.Ordinal);
    }

    public int OrgId { get; }

    /// <summary>The platform's, by which model calls are metered.</summary>
    public Guid OrganizationId { get; }

    /// <summary>Makes what is new, and changes what is there under another name.</summary>
    public async Task MakeAsync(IReadOnlyList<PlannedModule> modules, CancellationToken ct)
    {
        foreach (var module in modules)
        {
            if (!IsMade(module.Place, module.Name, type: ""))
            {
                await InTransactionAsync(() => MakeModuleAsync(module, ct), ct);
            }
            foreach (var task in module.Tasks)
            {
                if (!IsMade(task.Place, task.Name, TypeName(task.Type)))
                {
                    await InTransactionAsync(() => MakeTaskAsync(task, made[module.Place].Id, ct), ct);
                }
            }
        }
    }

    /// <summary>The structure is whole: what has no place in it is removed, and its contents may be asked for.</summary>
    public Task FinishAsync(IReadOnlyList<PlannedModule> modules, CancellationToken ct) => InTransactionAsync(
        async () =>
        {
            var places = modules.SelectMany(module => module.Tasks.Select(task => task.Place).Prepend(module.Place))
                .ToHashSet(StringComparer.Ordinal);
            foreach (var item in made.Values.Where(item => !places.Contains(item.Place)).ToList())
            {
                await RemoveAsync(item, ct);
            }
            var structure = CourseStructure.WithIds(
                modules, made.ToDictionary(item => item.Key, item => item.Value.Id, StringComparer.Ordinal)).ToJsonString();
            await db.Database.ExecuteSqlAsync($"""
                update learning.course_generation_jobs
                set status = 'pending', job_details = jsonb_set(job_details, array['course_structure'], {structure}::jsonb), updated_at = now()
                where uuid = {generation.Uuid}
                """, ct);
            await GenerationEvents.TellAsync(
                db, generation.CourseId, new() { ["event"] = "course_structure_completed", ["job_id"] = generation.Uuid.ToString() }, ct);
        },
        ct);

    private bool IsMade(string place, string name, string type) =>
        made.TryGetValue(place, out var item) && item.Name == name && item.Type == type;

    private async Task InTransactionAsync(Func<Task> step, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await context.FenceAsync(db, ct);
        // Locks the row: whoever cancels waits for this step, and no step begins after him.
        var isWanted = await db.Database.ExecuteSqlAsync($"""
            update learning.course_generation_jobs set updated_at = now()
              where uuid = {generation.Uuid} and status = 'started' and deleted_at is null
            """, ct) == 1;
        if (!isWanted)
        {
            throw JobFailure.Discard("The generation was ended");
        }
        await db.Database.ExecuteSqlAsync($"select from learning.courses where id = {generation.CourseId} for update", ct);
        await step();
        await transaction.CommitAsync(ct);
    }

    private async Task MakeModuleAsync(PlannedModule module, CancellationToken ct)
    {
        if (made.TryGetValue(module.Place, out var there))
        {
            await db.Milestones.Where(row => row.Id == there.Id)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.Name, module.Name), ct);
            made[module.Place] = there with { Name = module.Name };
            return;
        }
        var ordering = (await db.CourseMilestones.Where(link => link.CourseId == generation.CourseId)
            .MaxAsync(link => (int?)link.Ordering, ct) ?? -1) + 1;
        var row = new MilestoneRow { OrgId = OrgId, Name = module.Name, Color = Colors[ordering % Colors.Length] };
        db.Milestones.Add(row);
        await db.SaveChangesAsync(ct);
        db.CourseMilestones.Add(new() { CourseId = generation.CourseId, MilestoneId = row.Id, Ordering = ordering });
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync(
            $"insert into learning.generated_items (job_uuid, place, milestone_id) values ({generation.Uuid}, {module.Place}, {row.Id})",
            ct);
        made[module.Place] = new(module.Place, row.Id, module.Name, "");
        await GenerationEvents.TellAsync(db, generation.CourseId, new()
        {
            ["event"] = "module_created",
            ["module"] = new JsonObject { ["id"] = row.Id, ["name"] = row.Name, ["color"] = row.Color, ["ordering"] = ordering },
        }, ct);
    }

    private async Task MakeTaskAsync(PlannedTask task, int milestoneId, CancellationToken ct)
    {
        if (made.TryGetValue(task.Place, out var there))
        {
            if (there.Type == TypeName(task.Type))
            {
                await db.Tasks.Where(row => row.Id == there.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Title, task.Name), ct);
                made[task.Place] = there with { Name = task.Name };
                return;
            }
            // A task keeps its type for life; this one is another.
            await RemoveAsync(there, ct);
        }
        var ordering = (await db.CourseTasks.IgnoreQueryFilters()
            .Where(link => link.CourseId == generation.CourseId && link.MilestoneId == milestoneId)
            .MaxAsync(link => (int?)link.Ordering, ct) ?? -1) + 1;
        var row = new TaskRow { OrgId = OrgId, Type = task.Type, Title = task.Name, Status = PublishState.Draft };
        db.Tasks.Add(row);
        await db.SaveChangesAsync(ct);
        db.CourseTasks.Add(new() { CourseId = generation.CourseId, TaskId = row.Id, MilestoneId = milestoneId, Ordering = ordering });
        await db.SaveChangesAsync(ct);
        await db.Database.ExecuteSqlAsync(
            $"insert into learning.generated_items (job_uuid, place, task_id) values ({generation.Uuid}, {task.Place}, {row.Id})", ct);
        made[task.Place] = new(task.Place, row.Id, task.Name, TypeName(task.Type));
        await GenerationEvents.TellAsync(db, generation.CourseId, new()
        {
            ["event"] = "task_created",
            ["task"] = new JsonObject
            {
                ["id"] = row.Id, ["module_id"] = milestoneId, ["ordering"] = ordering, ["type"] = TypeName(task.Type), ["name"] = row.Title,
            },
        }, ct);
    }

    private async Task RemoveAsync(MadeItem item, CancellationToken ct)
    {
        if (item.Type.Length > 0)
        {
            await db.Database.ExecuteSqlAsync($"""
                with gone as (update learning.tasks set deleted_at = now() where id = {item.Id})
                update learning.course_tasks set deleted_at = now() where task_id = {item.Id} and deleted_at is null
                """, ct);
            await standings.MarkStaleByTasksAsync([item.Id], ct);
        }
        else
        {
            await db.Database.ExecuteSqlAsync($"""
                with gone as (update learning.milestones set deleted_at = now() where id = {item.Id})
                update learning.course_milestones set deleted_at = now() where milestone_id = {item.Id} and deleted_at is null
                """, ct);
        }
        await db.Database.ExecuteSqlAsync(
            $"delete from learning.generated_items where job_uuid = {generation.Uuid} and place = {item.Place}", ct);
        made.Remove(item.Place);
    }

    private static string TypeName(TaskType type) => type == TaskType.Quiz ? "quiz" : "learning_material";
}
