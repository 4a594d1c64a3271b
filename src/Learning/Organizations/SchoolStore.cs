using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Learning.Notifications;
using Stoa.Learning.Users;
using Stoa.Learning.Wire;
using Stoa.Platform.Data;
using Stoa.Platform.Http;

namespace Stoa.Learning.Organizations;

internal sealed record OrganizationSummary(int Id, string Name, string Slug);

internal sealed record OrganizationDetails(int Id, string Slug, string Name, string? LogoColor);

internal sealed record OrganizationMemberView(int Id, string Email, OrganizationRole Role);

/// <summary>Schools and who runs them.</summary>
internal sealed partial class SchoolStore(
    LearningDb db, UserStore users, SchoolNews news, SchoolBudgets budgets, SchoolPayers payers, IOptions<SchoolOptions> options)
{
    public Task<OrganizationDetails?> FindAsync(int id, CancellationToken ct) => db.Organizations.Where(row => row.Id == id)
        .Select(row => new OrganizationDetails(row.Id, row.Slug, row.Name, row.DefaultLogoColor)).FirstOrDefaultAsync(ct);

    public Task<OrganizationDetails?> FindAsync(string slug, CancellationToken ct) => db.Organizations.Where(row => row.Slug == slug)
        .Select(row => new OrganizationDetails(row.Id, row.Slug, row.Name, row.DefaultLogoColor)).FirstOrDefaultAsync(ct);

    /// <summary>All of them, or those of somebody.</summary>
    public Task<List<OrganizationSummary>> ListAsync(int? userId, Page page, CancellationToken ct) => db.Organizations
        .Where(row => userId == null || db.OrganizationMembers.Any(member => member.OrgId == row.Id && member.UserId == userId))
        .Where(row => page.After == null || row.Id > page.After).OrderBy(row => row.Id).Take(page.Size)
        .Select(row => new OrganizationSummary(row.Id, row.Name, row.Slug)).ToListAsync(ct);

    /// <summary>Made, or revived by whoever owned it. The user becomes its owner.</summary>
    /// <param name="isLimited">False for who may own as many as he likes.</param>
    /// <exception cref="Failure">400: there is no such user, the slug is taken or not one. 403: he owns as many as he may.</exception>
    public async Task<int> CreateAsync(string name, string slug, int userId, bool isLimited, CancellationToken ct)
    {
        var user = await users.FindAsync(userId, ct) ?? throw Refusal.BadRequest($"User with id '{userId}' not found");
        if (!Slug().IsMatch(slug) || slug is "admin" or "create")
        {
            throw Refusal.BadRequest($"'{slug}' cannot be the address of an organization: it takes lower-case letters, digits and hyphens");
        }
        var known = await db.Organizations.IgnoreQueryFilters().FirstOrDefaultAsync(row => row.Slug == slug, ct);
        if (known is not null && (known.DeletedAt is null || !await OwnedAsync(known.Id, userId, ct)))
        {
            throw Refusal.BadRequest($"Organization with slug '{slug}' already exists");
        }
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (isLimited)
        {
            await RequireRoomAsync(userId, ct);
        }
        var school = known ?? new OrganizationRow { Slug = slug, Name = name, OrganizationId = await payers.MakeAsync(slug, name, ct) };
        (school.DeletedAt, school.Name) = (null, name);
        db.Update(school);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException twice) when (twice.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw Refusal.BadRequest($"Organization with slug '{slug}' already exists");
        }
        await JoinAsync(school.Id, [userId], OrganizationRole.Owner, ct);
        await news.TellAsync(db, [TellSlack.SchoolCreated(school.Id, userId)], ct);
        if (known is null)
        {
            await budgets.GiveAsync(school.OrganizationId, ct);
        }
        await transaction.CommitAsync(ct);
        return school.Id;
    }

    public Task RenameAsync(int id, string name, CancellationToken ct) =>
        db.Organizations.Where(row => row.Id == id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Name, name), ct);

    public Task<List<OrganizationMemberView>> MembersAsync(int id, CancellationToken ct) =>
        (from member in db.OrganizationMembers
         where member.OrgId == id
         join user in db.Users on member.UserId equals user.Id
         orderby member.Id
         select new OrganizationMemberView(user.Id, user.Email, member.Role)).ToListAsync(ct);

    /// <summary>As admins: all of them, or none if one is one already.</summary>
    /// <returns>Who was added.</returns>
    /// <exception cref="Failure">400.</exception>
    public async Task<List<UserRow>> AddAsync(int id, IReadOnlyList<string> emails, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var added = await users.EnsureAsync(emails, ct);
        var ids = added.ConvertAll(user => user.Id);
        if (await db.OrganizationMembers.AnyAsync(member => member.OrgId == id && ids.Contains(member.UserId), ct))
        {
            throw Refusal.BadRequest("Some users are already added to the team");
        }
        await JoinAsync(id, ids, OrganizationRole.Admin, ct);
        await news.TellAsync(db, ids.Select(user => TellSlack.AdminAdded(user, id)), ct);
        await transaction.CommitAsync(ct);
        return added;
    }

    /// <exception cref="Failure">400: nobody would own it any more.</exception>
    public async Task RemoveAsync(int id, IReadOnlyList<int> userIds, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Two who remove one another wait for each other here.
        await db.Database.ExecuteSqlAsync($"select from learning.organizations where id = {id} for no key update", ct);
        if (userIds.Count > 0 && !await db.OrganizationMembers.AnyAsync(
            member => member.OrgId == id && member.Role == OrganizationRole.Owner && !userIds.Contains(member.UserId), ct))
        {
            throw Refusal.BadRequest("An organization must keep at least one owner");
        }
        await db.Database.ExecuteSqlAsync($"""
            update learning.user_organizations set deleted_at = now()
              where org_id = {id} and user_id = any ({userIds.ToArray()}) and deleted_at is null
            """, ct);
        await transaction.CommitAsync(ct);
    }

    private Task<int> JoinAsync(int id, IReadOnlyList<int> userIds, OrganizationRole role, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"""
        insert into learning.user_organizations (org_id, user_id, role)
        select {id}, user_id, {EnumNames<OrganizationRole>.Write(role)} from unnest({userIds.ToArray()}) as user_id
        on conflict (user_id, org_id) do update set role = excluded.role, deleted_at = null
        """, ct);

    private async Task RequireRoomAsync(int userId, CancellationToken ct)
    {
        if (options.Value.MaxPerPerson is not (> 0 and var most))
        {
            return;
        }
        // Two that come at once would both see room for one.
        await db.Database.ExecuteSqlAsync($"select from learning.users where id = {userId} for no key update", ct);
        if (await db.OrganizationMembers.CountAsync(member => member.UserId == userId && member.Role == OrganizationRole.Owner, ct) >= most)
        {
            throw Failure.Forbidden($"You own {most} organizations already, which is as many as one person may");
        }
    }

    private Task<bool> OwnedAsync(int id, int userId, CancellationToken ct) => db.OrganizationMembers.IgnoreQueryFilters()
        .AnyAsync(member => member.OrgId == id && member.UserId == userId && member.Role == OrganizationRole.Owner, ct);

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,62}$", RegexOptions.NonBacktracking)]
    private static partial Regex Slug();
}
