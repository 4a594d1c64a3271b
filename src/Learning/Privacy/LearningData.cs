using Microsoft.EntityFrameworkCore;
using Npgsql;
using Stoa.Learning.Files;
using Stoa.Learning.Traces;
using Stoa.Platform.Privacy;

namespace Stoa.Learning.Privacy;

/// <summary>What Learning keeps about a person: the user that he became by signing in.</summary>
internal sealed class LearningData(LearningDb db, NpgsqlDataSource source, LearningFiles files, ConversationArchive archive) : IPersonalData
{
    private const string FileName = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

    // Each by user ids. Tokens of integrations stay here.
    private static readonly (string File, string Sql)[] Parts =
    [
        ("users", "select to_jsonb(u) - 'person_id' from learning.users u where id = any ($1)"),
        ("schools", """
            select jsonb_build_object('school', o.name, 'role', m.role, 'since', m.created_at, 'until', m.deleted_at)
            from learning.user_organizations m join learning.organizations o on o.id = m.org_id where m.user_id = any ($1) order by m.id
            """),
        ("cohorts", """
            select jsonb_build_object('cohort', co.name, 'role', m.role, 'since', m.joined_at, 'until', m.deleted_at)
            from learning.user_cohorts m join learning.cohorts co on co.id = m.cohort_id where m.user_id = any ($1) order by m.id
            """),
        ("batches", """
            select jsonb_build_object('batch', b.name, 'since', m.created_at, 'until', m.deleted_at)
            from learning.user_batches m join learning.batches b on b.id = m.batch_id where m.user_id = any ($1) order by m.id
            """),
        ("conversations", "select to_jsonb(c) from learning.chat_history c where user_id = any ($1) order by created_at, id"),
        ("evaluations", "select to_jsonb(e) from learning.evaluations e where user_id = any ($1) order by id"),
        ("grade_changes", """
            select jsonb_build_object('message_id', g.message_id, 'reason', g.reason, 'content_before', g.content_before,
              'content_after', g.content_after, 'created_at', g.created_at)
            from learning.grade_changes g join learning.chat_history c on c.id = g.message_id where c.user_id = any ($1) order by g.id
            """),
        ("completions", "select to_jsonb(c) from learning.task_completions c where user_id = any ($1) order by id"),
        ("code", "select to_jsonb(d) from learning.code_drafts d where user_id = any ($1) order by id"),
        ("integrations", """
            select to_jsonb(i) - 'access_token' - 'refresh_token' from learning.integrations i where user_id = any ($1) order by id
            """),
        ("files", "select to_jsonb(f) from learning.files f where user_id = any ($1) order by created_at, id"),
    ];

    public string Name => "learning";

    public async Task ExportAsync(Guid personId, ExportFolder folder, CancellationToken ct)
    {
        var users = await UsersAsync(personId, ct);
        await folder.AddAsync(source, Parts, users, ct);
        foreach (var file in await db.Files.AsNoTracking()
            .Where(file => file.UserId != null && users.Contains(file.UserId.Value)).OrderBy(file => file.Id).ToListAsync(ct))
        {
            await using var content = await files.OpenAsync(file, ct);
            if (content is not null)
            {
                await folder.AddAsync($"{file.Id}.{file.Extension}", content, ct);
            }
        }
    }

    /// <summary>
    /// Who he was and what he wrote goes; that something was done stays, as figures of cohorts are made of it. A school that goes on
    /// without him keeps the pictures and films that its courses show.
    /// </summary>
    public async Task EraseAsync(Guid personId, CancellationToken ct)
    {
        var users = await UsersAsync(personId, ct);
        foreach (var file in await HisAsync(users, ct))
        {
            await files.DeleteAsync(file, ct);
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.users
              set email = 'erased-' || id, first_name = null, middle_name = null, last_name = null, default_dp_color = null,
              deleted_at = coalesce(deleted_at, now())
            where id = any ({users})
            """, ct);
        await db.Database.ExecuteSqlAsync(
            $"update learning.chat_history set content = null where user_id = any ({users}) and content is not null", ct);
        await db.Database.ExecuteSqlAsync(
            $"update learning.evaluations set output = null where user_id = any ({users}) and output is not null", ct);
        await db.Database.ExecuteSqlAsync($"""
            update learning.grade_changes g set reason = '', content_before = null, content_after = ''
            from learning.chat_history c where c.id = g.message_id and c.user_id = any ({users})
            """, ct);
        await db.Database.ExecuteSqlAsync($"delete from learning.code_drafts where user_id = any ({users})", ct);
        await db.Database.ExecuteSqlAsync($"delete from learning.integrations where user_id = any ({users})", ct);
        await BequeathAsync(users, ct);
        await db.Database.ExecuteSqlAsync($"""
            with schools as (update learning.user_organizations set deleted_at = now()
              where user_id = any ({users}) and deleted_at is null),
              cohorts as (update learning.user_cohorts set deleted_at = now() where user_id = any ({users}) and deleted_at is null)
            update learning.user_batches set deleted_at = now() where user_id = any ({users}) and deleted_at is null
            """, ct);
        await transaction.CommitAsync(ct);
        // Not before: a list that is being written at this moment may have read it still.
        await archive.ForgetAsync(users, ct);
    }

    /// <summary>A school that he alone owned goes to the admin who has been there longest.</summary>
    private Task<int> BequeathAsync(int[] users, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        update learning.user_organizations heir set role = 'owner'
        where heir.id in (
          select distinct on (other.org_id) other.id from learning.user_organizations own
          join learning.user_organizations other on other.org_id = own.org_id
          and other.deleted_at is null and other.user_id <> all ({users})
          where own.user_id = any ({users}) and own.role = 'owner' and own.deleted_at is null and not exists (
            select from learning.user_organizations owner
            where owner.org_id = own.org_id and owner.role = 'owner' and owner.deleted_at is null and owner.user_id <> all ({users}))
          order by other.org_id, other.id)
        """, ct);

    /// <summary>
    /// All but the media that stand in what a school teaches which goes on without him. Their names are looked for in its contents, which
    /// are read once.
    /// </summary>
    private Task<List<FileRow>> HisAsync(int[] users, CancellationToken ct) => db.Files.FromSql($"""
        with schools as (
          select distinct m.org_id from learning.user_organizations m
          where m.user_id = any ({users}) and exists (
            select from learning.user_organizations other
            where other.org_id = m.org_id and other.deleted_at is null and other.user_id <> all ({users}))
        ), contents as (
          select blocks::text as content from learning.tasks where org_id in (select org_id from schools) and blocks is not null
          union all
          select concat(q.blocks, q.answer, q.context) from learning.questions q
          join learning.tasks t on t.id = q.task_id where t.org_id in (select org_id from schools)
          union all
          select concat(a.blocks, a.context) from learning.assignments a
          join learning.tasks t on t.id = a.task_id where t.org_id in (select org_id from schools)
        ), shown as (
          select distinct name[1]::uuid as id from contents,
            regexp_matches(content, {FileName}, 'g') as name
        )
        select f.* from learning.files f
        where f.user_id = any ({users}) and (f.extension in ('wav', 'zip') or f.id not in (select id from shown))
        """).AsNoTracking().ToListAsync(ct);

    private Task<int[]> UsersAsync(Guid personId, CancellationToken ct) =>
        db.Users.IgnoreQueryFilters().Where(user => user.PersonId == personId).Select(user => user.Id).ToArrayAsync(ct);
}
