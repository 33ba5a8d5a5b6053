/* A library that is no module of penstock. */
int pen_nothing_of_cuda(void);

int pen_nothing_of_cuda(void)
{
    return 0;
}
