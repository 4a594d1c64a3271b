using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Learning.Auth;
using Stoa.Learning.Cohorts;
using Stoa.Learning.Courses;
using Stoa.Learning.Import;
using Stoa.Learning.Organizations;
using Stoa.Learning.Progress;
using Stoa.Learning.PublicApi;
using Stoa.Learning.Scorecards;
using Stoa.Learning.Tasks;
using Stoa.Learning.Tutor;
using Stoa.Learning.Users;
using Stoa.Learning.Wire;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;
using Stoa.Platform.Jobs.Calendars;

namespace Stoa.Learning;

/// <summary>Schools: courses for cohorts, tasks with a tutor, and how far everybody is.</summary>
public static class LearningModule
{
    public static WebApplicationBuilder AddLearning(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddMigrations("learning", typeof(LearningModule).Assembly);
        services.AddErrorDialect("/learning", FastApiErrors.Instance);
        services.AddModuleDb<LearningDb>();
        services.AddTransient<RoundTrip>();
        services.AddJson(LearningJson.Default);
        services.AddSingleton<Bodies>();
        services.AddSettings<LearningAuthOptions>(LearningAuthOptions.Section);
        services.AddSingleton<IValidateOptions<LearningAuthOptions>, LearningAuthOptionsValidator>();
        services.AddSingleton<LearningTokens>();
        services.AddHostedService<OpenModeWarning>();
        services.AddSchools();
        builder.AddTutor();
        builder.AddLearningServices();
        return builder;
    }

    public static IEndpointRouteBuilder MapLearning(this IEndpointRouteBuilder routes)
    {
        var surface = routes.MapGroup("/learning").WithGroupName("learning").WithErrors(FastApiErrors.Instance).AllowListedOrigins();
        surface.MapSchools();
        routes.MapService();
        surface.MapTutorRoutes();
        surface.MapLearningServices();
        routes.MapPublicHost();
        return routes;
    }

    private static void AddSchools(this IServiceCollection services)
    {
        services.AddScoped<UserStore>();
        services.AddSettings<SchoolOptions>(SchoolOptions.Section);
        services.AddScoped<SchoolStore>();
        services.AddScoped<SchoolBudgets>();
        services.AddScoped<SchoolPayers>();
        services.AddHostedService<SchoolBudgetsAtStart>();
        services.AddScoped(
            provider => new SensaiImport(provider.GetRequiredService<LearningDb>(), provider.GetRequiredService<SchoolBudgets>()));
        services.AddScoped<CohortStore>();
        services.AddScoped<BatchStore>();
        services.AddScoped<CourseStore>();
        services.AddScoped<CourseLinks>();
        services.AddScoped<CourseOrder>();
        services.AddScoped<CourseTrees>();
        services.AddScoped<CourseCopies>();
        services.AddSingleton<Blocks>();
        services.AddScoped<TaskStore>();
        services.AddScoped<QuizStore>();
        services.AddScoped<TaskCopies>();
        services.AddScoped<TaskVisibility>();
        services.AddScoped<ScorecardStore>();
        services.AddScoped<Standings>();
        services.AddScoped<Boards>();
        services.AddScoped<Activity>();
        services.AddScoped<Completions>();
        services.AddScoped<TaskGrid>();
        services.AddJob<CountCohort, CountCohortHandler>(CountCohort.Kind, LearningJson.Default.CountCohort, CountCohortHandler.Rules);
        services.AddJob<PublishScheduled, PublishScheduledHandler>(
            PublishScheduled.Kind, LearningJson.Default.PublishScheduled, PublishScheduled.Rules);
        services.AddSchedule(PublishScheduled.Kind, new PublishScheduled(), PublishScheduled.Every);
    }

    private static void MapSchools(this IEndpointRouteBuilder surface)
    {
        surface.MapLogin();
        surface.MapUsers();
        surface.MapOrganizations();
        surface.MapCohorts();
        surface.MapBatches();
        surface.MapCourses();
        surface.MapMilestones();
        surface.MapTasks();
        surface.MapScorecards();
    }

    /// <summary>
    /// What the front end's server calls, which sends no credential: the same routes behind a secret in their path.
    /// </summary>
    private static void MapService(this IEndpointRouteBuilder routes)
    {
        var service = routes.MapGroup("/learning/_svc/{service_token}").WithGroupName("learning")
            .WithErrors(FastApiErrors.Instance).WithTags("service").HideServiceToken();
        service.MapLogin();
        service.MapGet("/users/{user_id}", UsersApi.GetAsync).RequireLearner(allowService: true).WithSummary("Read a user");
        service.MapGet("/organizations/{org_id}", OrganizationsApi.GetAsync)
            .RequireLearner(allowService: true).WithSummary("Read a school");
        service.MapGet("/cohorts/{cohort_id}", CohortsApi.GetAsync)
            .RequireLearner(allowService: true).WithSummary("Read a cohort and its members");
        // Where there is nothing the secret is hidden too.
        service.Map("/{**nothing}", static (HttpContext _) =>
            Task.FromException(new Failure(FailureKind.NotFound, "not_found", "Not found"))).AllowAnyone().ExcludeFromDescription();
        service.MapGet("/courses/{course_id}", CoursesApi.GetAsync)
            .RequireLearner(allowService: true).WithSummary("Read what is published of a course");
    }
}
