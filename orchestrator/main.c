/* The penstock program. */
int main(void)
{
    return 0;
}
