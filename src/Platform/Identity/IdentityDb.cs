using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Platform.Data;

namespace Stoa.Platform.Identity;

/// <summary>People, what they belong to and how they come in. Keys have their own store, since the request path knows them.</summary>
public sealed class IdentityDb(DbContextOptions<IdentityDb> options) : ModuleDb(options, schema: "platform")
{
    public DbSet<Person> People => Set<Person>();

    public DbSet<ExternalAccount> ExternalAccounts => Set<ExternalAccount>();

    public DbSet<Organization> Organizations => Set<Organization>();

    public DbSet<Membership> Memberships => Set<Membership>();

    public DbSet<Invitation> Invitations => Set<Invitation>();

    public DbSet<Principal> Principals => Set<Principal>();

    internal DbSet<SessionRow> Sessions => Set<SessionRow>();

    internal DbSet<SetupToken> SetupTokens => Set<SetupToken>();

    internal DbSet<PasswordReset> PasswordResets => Set<PasswordReset>();

    internal DbSet<AuditEntry> Audit => Set<AuditEntry>();

    /// <summary>Writes down a security-relevant act, in the caller's unit of work: neither is there without the other.</summary>
    /// <param name="actor"><c>person:…</c>, <c>key:…</c>, or a word for a part of ours.</param>
    /// <param name="act">What was done: <c>member.remove</c>.</param>
    /// <param name="subject">To whom or what: <c>person:…</c>.</param>
    /// <param name="details">Names and numbers, never a secret, never an address.</param>
    public void Note(
        TimeProvider time, string actor, string act, string subject,
        Guid? organizationId = null, Dictionary<string, JsonNode?>? details = null)
    {
        var now = time.GetUtcNow();
        Audit.Add(new()
        {
            Id = Guid.CreateVersion7(now),
            At = now,
            Actor = actor,
            Act = act,
            Subject = subject,
            OrganizationId = organizationId,
            Details = details ?? [],
        });
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        modelBuilder.Entity<ExternalAccount>().HasKey(account => new { account.Provider, account.Subject });
        modelBuilder.Entity<Membership>().HasKey(membership => new { membership.OrganizationId, membership.PersonId });
        // Told so that rows are written in an order that the database accepts; nothing is read along these lines.
        modelBuilder.Entity<ExternalAccount>().HasOne<Person>().WithMany().HasForeignKey(account => account.PersonId);
        modelBuilder.Entity<Membership>().HasOne<Person>().WithMany().HasForeignKey(membership => membership.PersonId);
        modelBuilder.Entity<Membership>().HasOne<Organization>().WithMany().HasForeignKey(membership => membership.OrganizationId);
        modelBuilder.Entity<AuditEntry>().HasOne<Organization>().WithMany().HasForeignKey(entry => entry.OrganizationId);
        modelBuilder.Entity<SetupToken>().HasKey(token => token.TokenHash);
        modelBuilder.Entity<PasswordReset>().HasKey(reset => reset.TokenHash);
        modelBuilder.Entity<AuditEntry>().Property(entry => entry.Details).IsDocument(IdentityJson.Default.DictionaryStringJsonNode);
    }
}
