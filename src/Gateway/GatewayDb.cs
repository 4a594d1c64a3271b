using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Alerts;
using Stoa.Gateway.Batches;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.Files;
using Stoa.Gateway.Folders;
using Stoa.Gateway.History;
using Stoa.Gateway.Prompts;
using Stoa.Gateway.ProviderKeys;
using Stoa.Gateway.TestCases;
using Stoa.Gateway.Threads;
using Stoa.Gateway.Tools;
using Stoa.Platform.Data;

namespace Stoa.Gateway;

/// <summary>What an organization configures and what its agents did. Model calls without an agent never come here.</summary>
internal sealed class GatewayDb(DbContextOptions<GatewayDb> options) : ModuleDb(options, "gateway")
{
    public DbSet<Agent> Agents => Set<Agent>();

    public DbSet<AgentVersion> AgentVersions => Set<AgentVersion>();

    public DbSet<AgentChange> AgentChanges => Set<AgentChange>();

    public DbSet<AgentPrompt> AgentPrompts => Set<AgentPrompt>();

    public DbSet<AgentTool> Tools => Set<AgentTool>();

    public DbSet<Folder> Folders => Set<Folder>();

    public DbSet<ProviderKey> ProviderKeys => Set<ProviderKey>();

    public DbSet<ModelConfiguration> ModelConfigurations => Set<ModelConfiguration>();

    public DbSet<AgentThread> Threads => Set<AgentThread>();

    public DbSet<AgentRun> Runs => Set<AgentRun>();

    public DbSet<StoredFile> StoredFiles => Set<StoredFile>();

    public DbSet<Batch> Batches => Set<Batch>();

    public DbSet<PromptWrapper> PromptWrappers => Set<PromptWrapper>();

    public DbSet<RichUiTemplate> RichUiTemplates => Set<RichUiTemplate>();

    public DbSet<Alert> Alerts => Set<Alert>();

    public DbSet<TestCase> TestCases => Set<TestCase>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        base.OnModelCreating(modelBuilder);
        // So that an agent is written before its versions.
        modelBuilder.Entity<AgentVersion>().HasOne<Agent>().WithMany().HasForeignKey(version => version.AgentId);
        modelBuilder.Entity<AgentPrompt>().HasOne<Agent>().WithMany().HasForeignKey(prompt => prompt.AgentId);
        modelBuilder.Entity<AgentThread>()
            .HasKey(thread => new { thread.OrganizationId, thread.AgentId, thread.ThreadId, thread.SubThreadId });
        modelBuilder.Entity<AgentRun>().HasKey(run => new { run.Id, run.CreatedAt });
        modelBuilder.Entity<AgentRun>().Property(run => run.Number).ValueGeneratedOnAdd();
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            if (entity.ClrType.GetProperty("Document") is not null)
            {
                modelBuilder.Entity(entity.ClrType).Property<JsonObject>("Document").IsDocument(GatewayJson.Default.JsonObject);
            }
        }
    }
}
